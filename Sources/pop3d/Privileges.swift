// What the session process may still do once it serves, beyond what every such process may.

import Configuration
import Kernel
import Login
import Sandbox

extension Confinement {
    static func session(_ configuration: Configuration) -> Confinement {
        // A session has its socket, its mailbox's folders and one message open.
        .session(configuration, events: configuration.paths.spool / "pop3d", descriptorsEach: 12)
    }
}
