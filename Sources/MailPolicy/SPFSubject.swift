// What is checked, and what comes of it (RFC 7208 §2.3 to §2.6).

package import MailModel

/// The arguments of `check_host()` and of its macros (RFC 7208 §4.1).
package struct SPFSubject: Hashable, Sendable {
    package enum Identity: String, Hashable, Sendable { case helo, mailFrom = "mailfrom" }

    package let identity: Identity
    /// IPv4 also where it came as `::ffff:192.0.2.1`.
    package let client: IPAddress
    /// The argument of HELO or EHLO, unverified.
    package let hello: [UInt8]
    package let sender: ReversePath
    /// The host that checks.
    package let receiver: Domain
    /// Seconds since 1970.
    package let time: Int

    package init(identity: Identity, client: IPAddress, hello: [UInt8], sender: ReversePath, receiver: Domain, time: Int) {
        self.identity = identity
        self.client = client.unmapped
        self.hello = hello
        self.sender = sender
        self.receiver = receiver
        self.time = time
    }

    /// The address whose domain is asked; nil where `postmaster` at the HELO name stands for it (RFC 7208 §2.4).
    package var address: EmailAddress? { identity == .mailFrom ? sender.address : nil }

    /// The bytes of `<domain>`, not yet known to be a name.
    package var domain: [UInt8] { address?.domain.bytes ?? hello }
    var localPart: [UInt8] { address?.localPart ?? Array("postmaster".utf8) }
}

/// RFC 7208 §2.6.
package enum SPFResult: String, Hashable, Sendable, CaseIterable {
    case none, neutral, pass, fail, softfail, temperror, permerror
}

/// Bounds of one check (RFC 7208 §4.6.4).
package struct SPFLimits: Hashable, Sendable {
    /// Terms that ask DNS, included and redirected records counted in.
    package var terms = 10
    /// Answers without a record.
    package var voidLookups = 2
    /// Hosts of one MX answer, and names of a PTR answer.
    package var names = 10
    /// Bytes of a record; those of big providers stay below a tenth of it.
    package var record = 8192
    /// Bytes of an explanation, which goes into a reply.
    package var explanation = 300

    package init() {}
}

/// What a check came to.
package struct SPFOutcome: Hashable, Sendable {
    package let subject: SPFSubject
    package let result: SPFResult
    /// The term of the first record that matched, as published; `default` if none did; nil without a policy or with an error.
    package let mechanism: [UInt8]?
    /// Printable ASCII written by the domain's owner, a stranger; only beside `fail`.
    package let explanation: [UInt8]?
    /// Why it is an error, for people; may hold bytes of the record.
    package let problem: [UInt8]?
    /// Whether a name of the client might be missing, and with it a match: errors there are no errors of the check
    /// (RFC 7208 §5.5), but nobody should be refused for them.
    package let isUncertain: Bool

    init(
        _ subject: SPFSubject, _ result: SPFResult, mechanism: [UInt8]? = nil, explanation: [UInt8]? = nil, problem: [UInt8]? = nil,
        isUncertain: Bool = false
    ) {
        self.subject = subject
        self.result = result
        self.mechanism = mechanism
        self.explanation = explanation
        self.problem = problem
        self.isUncertain = isUncertain
    }
}
