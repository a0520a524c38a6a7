// What the session process may still do once it serves, beyond what every such process may.

import Configuration
import Kernel
import Login
import Sandbox

extension Confinement {
    static func session(_ configuration: Configuration) -> Confinement {
        // A session at work has its socket, two mailboxes' folders and two messages open; one at rest has its socket.
        .session(configuration, events: configuration.paths.spool / "imapd", descriptorsEach: 20)
    }
}
