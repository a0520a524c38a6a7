// What a connection says of the policy that it was made under: for the event, for the sender, and for another try.

import Connection
import MailModel
import MailPolicy
import SMTPProtocol
import SpoolFormat

extension Security {
    /// What of TLS failed on a connection; nil where nothing did.
    func fault(_ found: [RecipientResult], _ ending: Ending?, wasSecuring: Bool) -> TransportFault? {
        if wasSecuring {
            guard case .tlsFailed(let reason)? = ending else { return TransportFault("validation-failure", "the TLS handshake does not end") }
            let fault = CertificateFault(rawValue: reason)
            return TransportFault(fault?.result ?? "validation-failure", fault.map(said) ?? "TLS failed: \(reason)")
        }
        guard policy.encryption == .required, let first = found.first, case .some(let status) = first.outcome.status else { return nil }
        let lacksIt = !first.missing.contains(.requireTLS) && first.stage == .hello && first.reply.isEmpty && (status.detail == 4 || status.detail == 30) && status.subject == 7
        return lacksIt || first.stage == .startTLS ? TransportFault("starttls-not-supported", "it does not offer STARTTLS") : nil
    }

    private func said(_ fault: CertificateFault) -> String {
        guard case .demand = policy.proof, fault == .unlike else { return fault.rawValue }
        return "its certificate is not the one that they name"
    }

    /// In plain words, with the policy's name: the sender is to know whom to ask.
    func sentence(_ fault: TransportFault, domain: Domain, isAsked: Bool) -> String {
        if isAsked { return "its sender requires TLS all the way (REQUIRETLS), and \(fault.reason)" }
        return switch policy.source {
        case .dane: "its TLSA records in DNS (DANE) demand TLS with a certificate that they name, and \(fault.reason)"
        case .sts: "the MTA-STS policy of \(domain) demands TLS with a proven certificate, and \(fault.reason)"
        case .fixed: "TLS is demanded here by the configuration, and \(fault.reason)"
        case .none: fault.reason
        }
    }

    /// How the same server is spoken to after this fault, where the policy lets the mail go all the same.
    func weakened(_ fault: TransportFault) -> Security? {
        var weaker = self
        if policy.isTesting, policy.encryption == .required {
            weaker.policy = TransportPolicy(.opportunistic, .nothing, policy.source)
            weaker.policy.isTesting = true
            weaker.policy.note = fault
            return weaker
        }
        // RFC 7435 §3: what cannot be encrypted is sent in clear, where that is allowed at all.
        guard policy.encryption == .opportunistic else { return nil }
        weaker.policy.encryption = .never
        weaker.policy.note = policy.note ?? fault
        return weaker
    }

    /// The event of a connection; `result` is one of RFC 8460 §4.3.
    func event(_ job: Job, _ target: Target, tls: [UInt8]?, _ fault: TransportFault?, isConnected: Bool) -> RecordLine {
        let fault = fault ?? policy.note
        let isProven = tls != nil && fault == nil
        var line = RecordLine(.session, job.id).adding(.domain, job.domain.bytes).adding(.host, target.host.bytes)
            .adding(.peer, target.socket.address).adding(.tls, tls ?? Array("none".utf8))
            .adding(.verified, isProven ? policy.proofName : "no").adding(.tlspolicy, policy.source.rawValue)
            .adding(.result, fault?.result ?? (isConnected ? "ok" : "not-connected"))
        if let fault { line.add(.reason, fault.reason) }
        return line
    }
}

extension CertificateFault {
    fileprivate var result: String {
        switch self {
        case .expired: "certificate-expired"
        case .otherName: "certificate-host-mismatch"
        case .untrusted: "certificate-not-trusted"
        case .unlike: "validation-failure"
        }
    }
}

extension DeliveryOutcome {
    fileprivate var status: EnhancedStatus? {
        switch self {
        case .delivered: nil
        case .temporary(let status, _), .permanent(let status, _): status
        }
    }
}
