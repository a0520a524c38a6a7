// What a server must be before it sees a password, and how it is spoken with.

import Connection
import MailModel
import SMTPProtocol

extension Target {
    /// A password travels under TLS alone; a local socket, and LMTP that offers none, have no need of it.
    func policy(_ wish: ClientConfiguration.TLSPolicy, _ login: RelayPassword?) -> ClientConfiguration.TLSPolicy {
        if socket.port == 0 { return .never }
        return login != nil ? .required : wish
    }

    /// The name that its certificate must bear; an address has none to send.
    var serverName: [UInt8]? { host.isAddressLiteral ? nil : host.bytes }
}

extension Sender {
    /// Blocks on the disk; for a worker thread.
    func login(for target: Target, of job: Job) -> RelayLogin { relays.login(for: target, from: job.sender) }
}
