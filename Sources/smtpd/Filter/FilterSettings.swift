// What all sessions of a service know of its content filters; nil where there are none, and nothing is paid for them.

import Configuration
import Connection
import Kernel
import MailModel
import MilterProtocol
import Synchronization

/// The filters of a service, in the order in which they are asked.
struct FilterSettings: Sendable {
    /// As the configuration writes them, for events.
    let names: [String]
    let sockets: [SocketName]
    let dialer: Dialer
    let complaints: FilterComplaints
    /// The name that clients are greeted by.
    let host: [UInt8]
    /// `smtpd` or `submission`.
    let service: [UInt8]
    private(set) var configuration: MilterConfiguration
    /// Who gets what a filter wants held.
    private(set) var quarantine: EmailAddress?
    /// Octets of a message that was changed: the limit of SIZE, and what fields may be added.
    private(set) var messageSize: Int

    private static let addedFields = 1 << 20

    init?(_ configuration: Configuration, _ service: Service, loops: LoopGroup) {
        let sockets = configuration.filter.sockets(of: service)
        guard !sockets.isEmpty else { return nil }
        names = sockets.map(\.description)
        self.sockets = sockets.map(SocketName.init)
        dialer = Dialer(loops: loops, limit: sockets.count * configuration.limits.connections)
        complaints = FilterComplaints()
        host = configuration.hostname.bytes
        self.service = Array(service.rawValue.utf8)
        self.configuration = MilterConfiguration()
        messageSize = 0
        take(configuration)
    }

    /// The same filters with the live keys as they are now.
    func renewed(_ configuration: Configuration) -> FilterSettings {
        var settings = self
        settings.take(configuration)
        return settings
    }

    private mutating func take(_ new: Configuration) {
        configuration.failurePolicy = new.filter.failure == .pass ? .pass : .temporaryFailure
        configuration.limits.bodyOctets = Int(new.limits.messageSize.bytes)
        configuration.patience.opening = new.filter.connectTimeout
        configuration.patience.command = new.filter.commandTimeout
        configuration.patience.message = new.filter.messageTimeout
        configuration.patience.total = new.filter.messageTimeout * 2 + new.filter.connectTimeout + new.filter.commandTimeout
        quarantine = new.filter.quarantine
        messageSize = Int(new.limits.messageSize.bytes) + FilterSettings.addedFields
    }
}

/// A filter that is down is told once in ten seconds, not once a session.
final class FilterComplaints: Sendable {
    private let last = Mutex<[String: MonotonicTime]>([:])

    /// The sentences are those of `MilterFault`, so they are few.
    func isDue(_ sentence: String, at now: MonotonicTime) -> Bool {
        last.withLock { last in
            if let before = last[sentence], now - before < .seconds(10) { return false }
            last[sentence] = now
            return true
        }
    }
}

extension SocketName {
    init(_ socket: FilterSocket) {
        switch socket {
        case .internet(let endpoint): self.init(address: Array(endpoint.host.utf8), port: endpoint.port)
        case .local(let path): self.init(address: path.bytes, port: 0)
        }
    }
}
