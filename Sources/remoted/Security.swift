// How a server is to be spoken to: what DNS, the domain's policy and the configuration say of it, put to the one decision.

import Configuration
import Connection
import MailModel
import MailPolicy
import Resolver

/// A decision, and the names that it speaks of.
struct Security: Sendable {
    var policy: TransportPolicy
    /// The name that the server is asked for (RFC 7672 §8.1, RFC 8461 §4.1).
    var serverName: [UInt8]
    /// Any of them may be in a certificate that hangs on a trust anchor (RFC 7672 §3.2.2).
    var names: [[UInt8]] = []
    /// What we prove ourselves with.
    var login: RelayPassword?
    /// The file that it was looked for in, as it was then.
    var passwords: RelayBook.Edition?

    /// The same for this server and password. A password travels under TLS alone, to a host that has proved its name unless its entry says
    /// otherwise; a local socket needs no TLS; where TLS comes first there is no clear text to fall back on.
    func meeting(_ target: Target, _ login: RelayPassword?, of passwords: RelayBook.Edition?) -> Security {
        var security = self
        security.passwords = passwords
        security.login = login
        if target.socket.port == 0 {
            security.policy = TransportPolicy(.never, .nothing, .none)
        } else if login != nil || target.transport == .smtps {
            let needsName = login?.needsProof == true && policy.proof == .nothing
            security.policy.encryption = .required
            if needsName { security.policy.proof = .name }
            if policy.encryption != .required || needsName { security.policy.source = .fixed }
        }
        return security
    }
}

/// What is known of a domain's MTA-STS policy.
struct STSFinding: Sendable {
    var policy: STSPolicy?
    /// There is one, and it could not be had.
    var fault: TransportFault?
}

/// Decides about each server; blocks on DNS, for a worker thread.
struct SecurityFinder: Sendable {
    enum Found: Sendable {
        case connect(Security)
        case refuse(TransportFault, TransportPolicy.Source)
    }

    let resolver: StubResolver
    let configuration: Configuration

    func security(of target: Target, for job: Job, _ finding: STSFinding) -> Found {
        var question = TransportQuestion()
        question.host = target.host.bytes
        question.domain = job.domain.bytes
        let own = configuration.remote.tls(for: job.domain)
        question.wish = (own ?? configuration.remote.tls).wish
        question.isForDomain = own != nil
        question.isAsked = job.options.requiresTLS
        question.isNamed = target.isNamed
        question.isSigned = target.isSigned
        question.policy = finding.policy
        question.policyFault = finding.fault
        let (associations, base) = needsAssociations(question) ? self.associations(of: target) : (.none, target.host.bytes)
        question.associations = associations
        switch TransportDecision(question) {
        case .connect(let policy):
            return .connect(Security(policy: policy, serverName: base, names: [base, target.host.bytes, job.domain.bytes]))
        case .refuse(let fault, let source): return .refuse(fault, source)
        }
    }

    private func needsAssociations(_ question: TransportQuestion) -> Bool {
        configuration.remote.dane && (question.isAsked || !question.isForDomain && question.wish != .never)
    }

    /// RFC 7672 §2.2.2: looked for only where DNSSEC vouches for the way to the server; first under the name that an alias leads to.
    private func associations(of target: Target) -> (AssociationFinding, [UInt8]) {
        guard target.isSigned, let canonical = target.vouchedName else { return (.none, target.host.bytes) }
        let names = canonical == target.host.bytes ? [canonical] : [canonical, target.host.bytes]
        for name in names {
            switch resolver.associations(of: name, port: target.socket.port) {
            case .found(let found) where found.isAuthentic:
                return (CertificateDemand(found.value).map { .demand($0) } ?? .unusable, name)
            case .unavailable: return (.unavailable, name)
            case .found, .noData, .noSuchName: break
            }
        }
        return (.none, target.host.bytes)
    }
}

extension RemoteTLS {
    fileprivate var wish: TransportWish {
        switch self {
        case .opportunistic: .opportunistic
        case .required: .required
        case .verified: .verified
        case .never: .never
        }
    }
}

extension DNSTrust {
    var trust: ValidationTrust {
        switch self {
        case .loopback: .loopback
        case .always: .always
        case .never: .never
        }
    }
}
