// Where a job goes: routes and MX (RFC 5321 §5.1) turned into addresses, decided anew at each attempt.

import Configuration
import Connection
import Kernel
import MailModel
import Resolver

/// A server to try.
struct Target: Sendable, CustomStringConvertible {
    let host: Domain
    let socket: SocketName
    var transport = NextHop.Transport.smtp
    /// A route or the smarthost names it, and no answer of DNS.
    var isNamed = false
    /// DNSSEC vouches that this is a server of the domain, or nobody needs to.
    var isSigned = false
    /// What the name stands for, where DNSSEC vouches for its addresses.
    var vouchedName: [UInt8]?

    fileprivate func by(_ transport: NextHop.Transport) -> Target {
        var target = self
        target.transport = transport
        return target
    }

    /// `mx.example.org [192.0.2.1]:25`, the address alone where no name led to it, or the path of a local socket.
    var description: String {
        if socket.port == 0 { return "[\(socket.address.display)]" }
        let address = "[\(socket.address.display)]:\(socket.port)"
        return host.isAddressLiteral ? address : "\(host) \(address)"
    }
}

/// What the search for servers came to.
enum Targets: Sendable {
    case found([Target])
    case failed(DeliveryOutcome)
}

struct DestinationFinder: Sendable {
    let resolver: StubResolver
    let smarthost: Endpoint?
    let port: UInt16
    /// `remote.sockets`.
    let sockets: [Path]
    let ownListeners: OwnListeners

    /// Servers tried in one attempt.
    private static let mostTargets = 8

    /// Blocks on DNS; for a worker thread.
    func targets(for job: Job) -> Targets {
        if let route = job.route {
            guard let hop = NextHop(parsing: route) else {
                return temporary(EnhancedStatus(.temporary, 3, 5), "the route \(route.display) is none that this version knows")
            }
            if hop != .exchangers { return named(hop) }
        } else if let smarthost, let host = Domain(smarthost.isNumeric ? "[\(smarthost.host)]" : smarthost.host) {
            return named(.server(host, port: smarthost.port, .smtp))
        }
        return exchangers(for: job)
    }

    /// What the administrator has named.
    private func named(_ hop: NextHop) -> Targets {
        switch hop {
        case .exchangers: return temporary(EnhancedStatus(.temporary, 3, 5), "mx names no server")
        case .socket(let path):
            guard sockets.contains(Path(path)) else {
                return temporary(EnhancedStatus(.temporary, 3, 5), "a route leads to \(path.display), which remote.sockets does not list: add it there and restart remoted")
            }
            return .found([Target(host: .localhost, socket: SocketName(address: path, port: 0), transport: .lmtp, isNamed: true)])
        case .server(let host, let port, let transport):
            let found = patiently(servers([host], port: port, isNamed: true, isSigned: true))
            guard case .found(let targets) = found else { return found }
            guard !targets.contains(where: { ownListeners.take($0.socket) }) else {
                return temporary(EnhancedStatus(.temporary, 4, 6), "the route leads back to this host: \(hop) is where it listens itself")
            }
            return .found(targets.map { $0.by(transport) })
        }
    }

    /// Those that DNS names.
    private func exchangers(for job: Job) -> Targets {
        guard let domain = job.domain.aLabels else { return permanent(EnhancedStatus(.permanent, 1, 2), "\(job.domain) is no name of DNS") }
        if domain.isAddressLiteral { return servers([domain], port: port) }
        switch resolver.exchangers(of: domain) {
        case .found(let hosts) where hosts.value.isEmpty:
            return permanent(EnhancedStatus(.permanent, 1, 10), "\(job.domain) takes no mail (null MX)")
        case .found(let hosts): return withoutOwn(servers(hosts.value.map(\.host), port: port, isSigned: hosts.isAuthentic), of: job.domain)
        // Whether the server is certain hangs on its own addresses then.
        case .noData: return withoutOwn(servers([domain], port: port, isSigned: nil), of: job.domain)
        case .noSuchName: return permanent(EnhancedStatus(.permanent, 1, 2), "there is no domain \(job.domain)")
        case .unavailable: return temporary(EnhancedStatus(.temporary, 4, 3), "DNS gives no answer about \(job.domain)")
        }
    }

    /// RFC 5321 §5.1: where this host is among the exchangers, only those before it are asked; the others would send the mail here.
    private func withoutOwn(_ targets: Targets, of domain: Domain) -> Targets {
        guard case .found(let found) = targets, let own = found.firstIndex(where: { ownListeners.take($0.socket) }) else { return targets }
        if own > 0 { return .found(Array(found[..<own])) }
        return permanent(EnhancedStatus(.permanent, 4, 6), "DNS names this host as the server of \(domain), whose mail it does not take: it would come back for ever")
    }

    /// `isSigned`: nil where the domain is its own server.
    private func servers(_ hosts: [Domain], port: UInt16, isNamed: Bool = false, isSigned: Bool? = false) -> Targets {
        var targets: [Target] = []
        var isUncertain = false
        for host in hosts {
            switch resolver.vouchedAddresses(of: host) {
            case .found(let found):
                targets += found.value.map {
                    Target(
                        host: host, socket: SocketName(address: $0, port: port), isNamed: isNamed, isSigned: isSigned ?? found.isAuthentic,
                        vouchedName: found.isAuthentic ? found.name : nil)
                }
            case .unavailable: isUncertain = true
            case .noData, .noSuchName: break
            }
        }
        if !targets.isEmpty { return .found(Array(targets.prefix(DestinationFinder.mostTargets))) }
        if isUncertain { return temporary(EnhancedStatus(.temporary, 4, 3), "DNS gives no address of \(hosts[0])") }
        return permanent(EnhancedStatus(.permanent, 4, 4), "\(hosts.map(\.description).joined(separator: ", ")) has no address")
    }

    /// A next hop that the administrator names and DNS does not know is a mistake that he will mend; no sender is to hear of it.
    private func patiently(_ targets: Targets) -> Targets {
        guard case .failed(.permanent(_, let reason)) = targets else { return targets }
        return .failed(.temporary(EnhancedStatus(.temporary, 4, 4), reason: reason))
    }

    private func temporary(_ status: EnhancedStatus, _ reason: String) -> Targets { .failed(.temporary(status, reason: Array(reason.utf8))) }
    private func permanent(_ status: EnhancedStatus, _ reason: String) -> Targets { .failed(.permanent(status, reason: Array(reason.utf8))) }
}
