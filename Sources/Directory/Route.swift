// What routing found for one recipient, each result with the path that led to it: explanation and deed are one value.

package import MailModel

/// One step of an alias path: the address that was looked at, and why.
package struct RouteStep: Hashable, Sendable {
    package enum Reason: String, Hashable, Sendable {
        /// The recipient of the message.
        case recipient
        /// A target of the alias before it.
        case alias
        /// The address before it without its tag (RFC 5233 §1).
        case subaddress
        /// A target of the catch-all of the domain.
        case catchAll = "catch-all"
        /// The postmaster, for `postmaster@` or `abuse@` that nobody else takes (RFC 5321 §4.5.1, RFC 2142 §4).
        case role
    }
    package let address: EmailAddress
    package let reason: Reason

    package init(_ address: EmailAddress, _ reason: Reason) {
        self.address = address
        self.reason = reason
    }
}

/// How a result was reached, from the recipient to the final address.
package typealias AliasPath = [RouteStep]

/// A copy for an account of ours.
package struct AccountRoute: Hashable, Sendable {
    package let account: AccountEntry
    package let path: AliasPath
}

/// A copy for another host: by `nextHop` if the domain has a route, else by MX.
package struct RemoteRoute: Hashable, Sendable {
    package let address: EmailAddress
    package let nextHop: NextHop?
    package let path: AliasPath
}

/// Why an address takes no mail.
package struct RouteRefusal: Error, Hashable, Sendable {
    package enum Reason: String, Hashable, Sendable {
        case noSuchAddress = "no such address here"
        case accountDisabled = "mailbox is disabled"
        case aliasLoop = "aliases lead back to themselves"
        case aliasTooDeep = "aliases are nested too deeply"
        case tooManyResults = "aliases name too many addresses"
        case noPostmaster = "no postmaster is configured"
    }
    package let address: EmailAddress
    package let reason: Reason
    package let path: AliasPath

    /// RFC 3463 §3.2, §3.4, §3.5. What an administrator can repair is temporary: no mail is lost by a slip.
    package var status: EnhancedStatus {
        switch reason {
        case .noSuchAddress: EnhancedStatus(.permanent, 1, 1)
        case .accountDisabled: EnhancedStatus(.permanent, 2, 1)
        case .aliasLoop, .aliasTooDeep: EnhancedStatus(.temporary, 4, 6)
        case .tooManyResults: EnhancedStatus(.temporary, 3, 0)
        case .noPostmaster: EnhancedStatus(.temporary, 3, 5)
        }
    }
}

/// Where the copies for one recipient go; nothing in it is temporary, so it may be frozen.
package struct Route: Hashable, Sendable {
    package var accounts: [AccountRoute] = []
    package var remotes: [RemoteRoute] = []
    /// Targets that take no mail, for good; the others still get theirs.
    package var refusals: [RouteRefusal] = []
    /// Where an alias led back to an address of its own path: nobody is named there, so nothing is due.
    package var cycles: [AliasPath] = []

    package init() {}

    package var isEmpty: Bool { accounts.isEmpty && remotes.isEmpty && refusals.isEmpty }
    /// Somebody gets a copy.
    package var delivers: Bool { !accounts.isEmpty || !remotes.isEmpty }
}

/// What becomes of one recipient.
package enum RouteResult: Hashable, Sendable {
    case routed(Route)
    /// Nobody gets a copy until the directory is put in order: ask again later.
    case held(RouteRefusal)
}

/// What an SMTP server says to RCPT.
package enum Deliverability: Hashable, Sendable {
    /// Ours: an account, an alias (wherever it leads), or a domain of ours with a route.
    case local
    /// Somebody else's: only for clients who may relay.
    case remote
    /// Refused, by `status` for good or for now.
    case refused(RouteRefusal)
    case unavailable(DirectoryUnavailable)
}
