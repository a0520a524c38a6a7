// Port 25's visible list of questions: what is known of a client goes in, what to ask next and the decision come out.

package import MailModel

/// A question of the policy; several may be open at once, and each is answered once.
package enum PolicyQuestion: Hashable, Sendable {
    case dns(DNSQuestion)
    /// What is remembered of this key?
    case greylist(GreylistKey)
}

/// The policy of one connection. smtpd asks it at RCPT, `mailctl explain` for a client that may never come: the same answers,
/// in any order, give the same decision and the same trail.
package struct PolicyQuestions: Sendable {
    package let configuration: PolicyConfiguration
    /// IPv4 also where it came as `::ffff:192.0.2.1`.
    package let client: IPAddress
    /// What the rate table said; it is asked elsewhere, because it remembers.
    package var rates = RateVerdict.allowed

    /// Nil where it is not asked.
    package internal(set) var reverse: ReverseLookup?
    var clientLists: ListQuestions
    var hello: Hello?
    var sender: Sender?
    var recipient: Recipient?

    /// What depends on HELO or EHLO.
    struct Hello: Sendable {
        /// Unverified.
        let name: [UInt8]
        var lookup: HostLookup?
        var spf: SPFEvaluation?
    }

    /// What depends on MAIL.
    struct Sender: Sendable {
        let path: ReversePath
        var lookup: HostLookup?
        var lists: ListQuestions
        var spf: SPFEvaluation?
    }

    /// What depends on RCPT.
    struct Recipient: Sendable {
        let address: EmailAddress
        /// Seconds since 1970.
        let time: Int
        var memory = Memory.unasked
    }

    enum Memory: Hashable, Sendable {
        case unasked
        case known(GreylistEntry?)
        case unavailable
    }

    package init(_ configuration: PolicyConfiguration, client: IPAddress) {
        self.configuration = configuration
        self.client = client.unmapped
        let isTrusted = configuration.trusted.contains { $0.contains(client.unmapped) }
        let asksReverse = configuration.reverseDNS.isAsked && !isTrusted
        reverse = asksReverse ? ReverseLookup(of: client.unmapped, limit: configuration.spf.limits.names) : nil
        clientLists = ListQuestions(isTrusted ? [] : configuration.lists, client: client.unmapped)
    }

    /// Of whom nothing is asked.
    package var isTrusted: Bool { configuration.trusted.contains { $0.contains(client) } }

    /// HELO or EHLO; what was said after an earlier one is forgotten. `time`: seconds since 1970.
    ///
    /// The same name again, as after STARTTLS, is not asked about again.
    package mutating func helloGiven(_ name: [UInt8], at time: Int) {
        sender = nil
        recipient = nil
        if hello?.name == name { return }
        var next = Hello(name: name)
        defer { hello = next }
        guard !isTrusted else { return }
        if configuration.hello.unresolvable != nil, let host = DNSName(parsing: name), Domain(parsing: name)?.isAddressLiteral == false {
            next.lookup = .host(host)
        }
        if configuration.spf.isAsked, configuration.spf.checksHello { next.spf = evaluation(.helo, name, .null, time) }
    }

    /// MAIL; nothing is known of a client that said no HELO, so this counts only after one.
    package mutating func senderGiven(_ path: ReversePath, at time: Int) {
        guard let hello else { return }
        recipient = nil
        let domain = path.address?.domain
        let lists = domain.map { ListQuestions(isTrusted ? [] : configuration.lists, name: $0) }
        var next = Sender(path: path, lists: lists ?? ListQuestions([], client: client))
        defer { sender = next }
        guard !isTrusted else { return }
        if configuration.senderDomain.unreachable != nil, let domain, !domain.isAddressLiteral {
            next.lookup = DNSName(parsing: domain.bytes).map { .mailDomain($0) }
        }
        if configuration.spf.isAsked { next.spf = evaluation(.mailFrom, hello.name, path, time) }
    }

    /// RCPT; the one before it is forgotten.
    package mutating func recipientGiven(_ address: EmailAddress, at time: Int) {
        guard sender != nil else { return }
        recipient = Recipient(address: address, time: time)
    }

    private func evaluation(_ identity: SPFSubject.Identity, _ hello: [UInt8], _ sender: ReversePath, _ time: Int) -> SPFEvaluation {
        let subject = SPFSubject(
            identity: identity, client: client, hello: hello, sender: sender, receiver: configuration.hostName, time: time)
        return SPFEvaluation(subject, limits: configuration.spf.limits)
    }
}
