// What an administrator decides about port 25; every value has a default that refuses nobody by guesswork.

package import MailModel

/// What a finding leads to.
package enum PolicyAction: Hashable, Sendable, CaseIterable {
    /// It is written down, and mail goes on.
    case note
    /// Temporarily refused.
    case deferral
    case refusal
}

package struct PolicyConfiguration: Hashable, Sendable {
    /// Our own name: `receiver` of SPF, and a HELO that nobody else may say.
    package var hostName: Domain
    /// Clients of whom nothing is asked.
    package var trusted: [IPNetwork] = []
    /// Local parts that every policy lets through, lower case (RFC 5321 §4.5.1, RFC 2142 §4).
    package var exemptRecipients: Set<[UInt8]> = [Array("postmaster".utf8), Array("abuse".utf8)]
    package var reverseDNS = ReverseDNS()
    package var hello = Hello()
    package var lists: [DNSList] = []
    package var listThresholds = ListThresholds()
    package var senderDomain = SenderDomain()
    package var spf = SPF()
    /// Nil for none.
    package var greylist: Greylist?
    /// Whether only clients wait of whom something was noted.
    package var greylistsSuspectsOnly = true

    package init(hostName: Domain) { self.hostName = hostName }

    package struct ReverseDNS: Hashable, Sendable {
        package var isAsked = true
        /// The address has no name at all.
        package var missing = PolicyAction.note
        /// It has one that does not lead back to it.
        package var unconfirmed = PolicyAction.note
        package init() {}
    }

    package struct Hello: Hashable, Sendable {
        /// Neither a full name nor an address literal.
        package var malformed = PolicyAction.note
        /// Our own name or the literal of another address.
        package var forged = PolicyAction.note
        /// A name without address and MX; nil: not asked.
        package var unresolvable: PolicyAction?
        package init() {}
    }

    package struct SenderDomain: Hashable, Sendable {
        /// The sender's domain could not take a bounce; nil: not asked.
        package var unreachable: PolicyAction?
        package init() {}
    }

    package struct SPF: Hashable, Sendable {
        package var isAsked = true
        /// The HELO identity too (RFC 7208 §2.3).
        package var checksHello = true
        package var fail = PolicyAction.refusal
        package var helloFail = PolicyAction.note
        package var softfail = PolicyAction.note
        package var permerror = PolicyAction.note
        /// RFC 7208 §8.6: a refusal is not among the choices, and counts as a deferral.
        package var temperror = PolicyAction.note
        package var limits = SPFLimits()
        package init() {}
    }
}
