// The TLS of connections on which a server must prove its name: the trusted roots are read once, when they are first needed.

import Connection
import Kernel
import SMTPProtocol
import MailPolicy
import Synchronization

/// Made once; what could not be made is tried again.
final class ProvingTLS: Sendable {
    private let made = Mutex<ClientTLS?>(nil)

    /// Nil if the roots cannot be read. Another file is taken at the next start.
    func tls(_ roots: Path?) -> ClientTLS? {
        made.withLock { made in
            if made == nil { made = try? ClientTLS.verified(rootsFile: roots.map(\.bytes)) }
            return made
        }
    }
}

extension TransportPolicy.Encryption {
    /// The same in the words of the dialogue.
    var policy: ClientConfiguration.TLSPolicy {
        switch self {
        case .never: .never
        case .opportunistic: .opportunistic
        case .required: .required
        }
    }
}
