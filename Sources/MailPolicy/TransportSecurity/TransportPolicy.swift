// How mail goes to one server: whether TLS must be, and what the server must prove. One pure decision, made for each server.

/// What a connection must come to before a message is said on it.
package struct TransportPolicy: Hashable, Sendable {
    package enum Encryption: Hashable, Sendable { case never, opportunistic, required }

    package enum Proof: Hashable, Sendable {
        case nothing
        /// A chain to a trusted root, for the server's name.
        case name
        /// The certificate that TLSA records name (RFC 7672).
        case demand(CertificateDemand)
    }

    /// Who wants it; the raw value is the word in events.
    package enum Source: String, Hashable, Sendable {
        case dane, sts
        /// The configuration.
        case fixed
        case none
    }

    package var encryption: Encryption
    package var proof: Proof
    package var source: Source
    /// What fails is written down, and the mail goes all the same (RFC 8461 §5, mode testing).
    package var isTesting = false
    /// What was found wrong already and does not keep the mail.
    package var note: TransportFault?

    package init(_ encryption: Encryption, _ proof: Proof, _ source: Source) {
        self.encryption = encryption
        self.proof = proof
        self.source = source
    }

    /// The word in events for a certificate that passed.
    package var proofName: String {
        switch (proof, source) {
        case (.nothing, _): "no"
        case (.demand, _): "dane"
        case (.name, .sts): "sts"
        case (.name, _): "name"
        }
    }
}

/// Why mail does not go to a server, in a word of RFC 8460 §4.3 and in a sentence.
package struct TransportFault: Hashable, Sendable {
    /// `starttls-not-supported`, `certificate-expired`.
    package let result: String
    package let reason: String
    /// Nothing will change it (REQUIRETLS).
    package var isPermanent = false

    package init(_ result: String, _ reason: String, isPermanent: Bool = false) {
        self.result = result
        self.reason = reason
        self.isPermanent = isPermanent
    }
}

/// What the administrator wants of a destination.
package enum TransportWish: Hashable, Sendable { case opportunistic, required, verified, never }

/// What the TLSA records of a server come to (RFC 7672 §2.2).
package enum AssociationFinding: Hashable, Sendable {
    /// None, or none that DNSSEC vouches for.
    case none
    /// The question could not be answered: the server must not be used now (RFC 7672 §2.1).
    case unavailable
    /// They are there and none can be used: TLS is demanded, and no proof.
    case unusable
    case demand(CertificateDemand)
}

/// All that the decision about one server depends on.
package struct TransportQuestion: Sendable {
    /// Of its DNS name, lower case.
    package var host: [UInt8] = []
    package var domain: [UInt8] = []
    package var wish = TransportWish.opportunistic
    /// The wish is for this domain, and not what holds for all.
    package var isForDomain = false
    /// The sender asked for REQUIRETLS (RFC 8689).
    package var isAsked = false
    /// The administrator named the host, and no DNS.
    package var isNamed = false
    /// DNSSEC vouches for the exchangers of the domain.
    package var isSigned = false
    package var associations = AssociationFinding.none
    package var policy: STSPolicy?
    /// The domain has a policy, and it could not be had.
    package var policyFault: TransportFault?

    package init() {}
}

/// The answer.
package enum TransportDecision: Hashable, Sendable {
    case connect(TransportPolicy)
    case refuse(TransportFault, TransportPolicy.Source)

    package init(_ question: TransportQuestion) {
        self = question.isAsked ? TransportDecision.asked(question) : TransportDecision.usual(question)
    }

    /// The administrator's word for the domain, then DANE, then MTA-STS (RFC 8461 §2), then what holds for all.
    private static func usual(_ question: TransportQuestion) -> TransportDecision {
        if question.isForDomain || question.wish == .never { return .connect(wished(question.wish)) }
        if let found = associated(question) ?? confirmed(question) { return found.meeting(question.wish) }
        var policy = wished(question.wish)
        if let fault = question.policyFault {
            policy.note = fault
            policy.source = .sts
        }
        return .connect(policy)
    }

    /// RFC 8689 §4.2.1: the name of the server must be certain, and the server prove it.
    private static func asked(_ question: TransportQuestion) -> TransportDecision {
        let proven = TransportDecision.connect(TransportPolicy(.required, .name, question.isNamed ? .fixed : .none))
        if question.isNamed { return proven }
        switch associated(question) {
        case .connect(let policy)? where policy.proof != .nothing: return .connect(policy)
        case .refuse(let fault, let source)?: return .refuse(fault, source)
        case .connect?, nil: break
        }
        switch confirmed(question) {
        case .connect(var policy)?:
            if let note = policy.note { return .refuse(note, policy.source) }
            policy.isTesting = false
            return .connect(policy)
        case .refuse(let fault, let source)?: return .refuse(fault, source)
        case nil: break
        }
        if question.isSigned { return proven }
        if let fault = question.policyFault { return .refuse(fault, .sts) }
        return .refuse(TransportFault("validation-failure", """
            its sender requires TLS all the way, and the server of \(text(question.domain)) cannot be known for certain: neither DNSSEC \
            nor an MTA-STS policy vouches for it, and no smarthost or route names it
            """, isPermanent: true), .none)
    }

    private static func wished(_ wish: TransportWish) -> TransportPolicy {
        switch wish {
        case .opportunistic: TransportPolicy(.opportunistic, .nothing, .none)
        case .required: TransportPolicy(.required, .nothing, .fixed)
        case .verified: TransportPolicy(.required, .name, .fixed)
        case .never: TransportPolicy(.never, .nothing, .fixed)
        }
    }

    /// What others publish may ask for more than the administrator wants for all, never for less.
    private func meeting(_ wish: TransportWish) -> TransportDecision {
        guard case .connect(var policy) = self, wish != .opportunistic else { return self }
        if policy.isTesting {
            let note = policy.note
            policy = TransportDecision.wished(wish)
            policy.note = note
            if note != nil { policy.source = .sts }
        } else if wish == .verified, policy.proof == .nothing {
            policy.proof = .name
        }
        return .connect(policy)
    }

    private static func associated(_ question: TransportQuestion) -> TransportDecision? {
        switch question.associations {
        case .none: nil
        case .unavailable:
            .refuse(TransportFault("dnssec-invalid", """
                DNS does not say now which certificate \(text(question.host)) must show (DANE), and without that it is not used
                """), .dane)
        case .unusable: .connect(TransportPolicy(.required, .nothing, .dane))
        case .demand(let demand): .connect(TransportPolicy(.required, .demand(demand), .dane))
        }
    }

    private static func confirmed(_ question: TransportQuestion) -> TransportDecision? {
        guard let policy = question.policy, policy.mode != .none else { return nil }
        let isTesting = policy.mode == .testing
        if policy.names(question.host) {
            var found = TransportPolicy(.required, .name, .sts)
            found.isTesting = isTesting
            return .connect(found)
        }
        let fault = TransportFault("validation-failure", """
            the MTA-STS policy of \(text(question.domain)) does not name \(text(question.host)) among the servers that take its mail
            """)
        guard isTesting else { return .refuse(fault, .sts) }
        var found = TransportPolicy(.opportunistic, .nothing, .sts)
        found.isTesting = true
        found.note = fault
        return .connect(found)
    }

    private static func text(_ name: [UInt8]) -> String { String(decoding: name, as: UTF8.self) }
}
