// The session process of pop3d: its function has the name that the other one's has, so each is called from a file of its own.

import Configuration
import Sandbox
@testable import pop3d

extension Confinement {
    static func ofPOP3(_ configuration: Configuration) -> Confinement { .session(configuration) }
}
