// The session process of imapd: its function has the name that the other one's has, so each is called from a file of its own.

import Configuration
import Sandbox
@testable import imapd

extension Confinement {
    static func ofIMAP(_ configuration: Configuration) -> Confinement { .session(configuration) }
}
