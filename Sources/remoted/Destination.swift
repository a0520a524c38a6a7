// Where a job goes: routes and MX (RFC 5321 §5.1) turned into addresses, decided anew at each attempt.

import Configuration
import Connection
import MailModel
import Resolver

/// A server to try.
struct Target: Sendable, CustomStringConvertible {
    let host: Domain
    let socket: SocketName
    /// The administrator named it, as smarthost or route.
    var isNamed = false
    /// DNSSEC vouches that this is a server of the domain, or nobody needs to.
    var isSigned = false
    /// What the name stands for, where DNSSEC vouches for its addresses.
    var vouchedName: [UInt8]?

    /// `mx.example.org [192.0.2.1]:25`, or the address alone where no name led to it.
    var description: String {
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

    /// Servers tried in one attempt.
    private static let mostTargets = 8

    /// Blocks on DNS; for a worker thread.
    func targets(for job: Job) -> Targets {
        if let route = job.route {
            guard let (host, port) = DestinationFinder.split(route) else {
                return temporary(EnhancedStatus(.temporary, 3, 5), "the route is not HOST:PORT")
            }
            return patiently(servers([host], port: port, isNamed: true, isSigned: true))
        }
        if let smarthost, let host = Domain(smarthost.host) ?? Domain("[\(smarthost.host)]") {
            return patiently(servers([host], port: smarthost.port, isNamed: true, isSigned: true))
        }
        guard let domain = job.domain.aLabels else { return permanent(EnhancedStatus(.permanent, 1, 2), "\(job.domain) is no name of DNS") }
        if domain.isAddressLiteral { return servers([domain], port: port) }
        switch resolver.exchangers(of: domain) {
        case .found(let hosts) where hosts.value.isEmpty:
            return permanent(EnhancedStatus(.permanent, 1, 10), "\(job.domain) takes no mail (null MX)")
        case .found(let hosts): return servers(hosts.value.map(\.host), port: port, isSigned: hosts.isAuthentic)
        // Whether the server is certain hangs on its own addresses then.
        case .noData: return servers([domain], port: port, isSigned: nil)
        case .noSuchName: return permanent(EnhancedStatus(.permanent, 1, 2), "there is no domain \(job.domain)")
        case .unavailable: return temporary(EnhancedStatus(.temporary, 4, 3), "DNS gives no answer about \(job.domain)")
        }
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

    private static func split(_ route: [UInt8]) -> (Domain, UInt16)? {
        guard let colon = route.lastIndex(of: UInt8(ascii: ":")), let number = route[(colon + 1)...].decimalValue, let port = UInt16(exactly: number),
            let host = Domain(parsing: route[..<colon])
        else { return nil }
        return (host, port)
    }

    private func temporary(_ status: EnhancedStatus, _ reason: String) -> Targets { .failed(.temporary(status, reason: Array(reason.utf8))) }
    private func permanent(_ status: EnhancedStatus, _ reason: String) -> Targets { .failed(.permanent(status, reason: Array(reason.utf8))) }
}
