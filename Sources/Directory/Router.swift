// Routing, once: smtpd's RCPT, queued's `route` and `mailctl explain` call this and nothing else.
// No I/O and no recursion; the work is bounded by `limits`, whatever the aliases say.

package import MailModel

/// The rules by which an address becomes accounts, remote addresses and refusals.
package struct Router: Hashable, Sendable {
    /// What separates a user from a tag; empty to have no sub-addresses.
    package var separators: [UInt8]
    /// Who gets `postmaster@` and `abuse@` of each domain of ours, where nobody is named for them.
    package var postmaster: EmailAddress?

    package var limits: Limits

    /// What an address may lead to before the message is held as a whole.
    package struct Limits: Hashable, Sendable {
        /// Aliases that lead one to the next.
        package var depth = 10
        /// Different final addresses.
        package var results = 1000

        package init() {}

        package init(depth: Int, results: Int) {
            self.depth = depth
            self.results = results
        }
    }

    package init(postmaster: EmailAddress?, separators: [UInt8] = [UInt8(ascii: "+")], limits: Limits = Limits()) {
        self.postmaster = postmaster
        self.separators = separators
        self.limits = limits
    }

    /// Follows every alias to its end. Two equal final addresses are one result, by the shortest path.
    package func route(_ recipient: EmailAddress, in book: some AddressBook) throws(DirectoryUnavailable) -> RouteResult {
        var expansion = Expansion(recipient, limits)
        do {
            while let path = expansion.next() { try follow(path, in: book, &expansion) }
        } catch {
            switch error {
            case .unavailable(let unavailable): throw unavailable
            case .held(let refusal): return .held(refusal)
            }
        }
        return expansion.result
    }

    /// The answer to RCPT, by the same rules.
    package func deliverability(of recipient: EmailAddress, in book: some AddressBook) -> Deliverability {
        do throws(DirectoryUnavailable) {
            guard try book.domain(recipient.domain).isLocal else { return .remote }
            switch try route(recipient, in: book) {
            case .held(let refusal): return .refused(refusal)
            case .routed(let route): return route.refusals.first.flatMap { route.delivers ? nil : .refused($0) } ?? .local
            }
        } catch {
            return .unavailable(error)
        }
    }

    private func follow(
        _ path: AliasPath, in book: some AddressBook, _ expansion: inout Expansion
    ) throws(Expansion.Stop) {
        guard let address = path.last?.address else { return }
        let domain = try Expansion.ask { () throws(DirectoryUnavailable) in try book.domain(address.domain) }
        guard domain.isLocal else { return try expansion.remote(address, domain.route, path) }
        for name in candidates(path) {
            let entry = try Expansion.ask { () throws(DirectoryUnavailable) in try book.entry(name.address.canonical) }
            guard entry != .nothing else { continue }
            return try expansion.take(entry, at: name.reason == .subaddress ? path + [name] : path)
        }
        try unnamed(address, domain, path, in: book, &expansion)
    }

    /// The address itself, and after it the one without the tag.
    private func candidates(_ path: AliasPath) -> [RouteStep] {
        guard let last = path.last else { return [] }
        let user = separators.lazy.compactMap { last.address.subaddress(separator: $0)?.user }.first
        return [last] + (user.map { [RouteStep($0, .subaddress)] } ?? [])
    }

    /// An address of ours for which there is neither account nor alias.
    private func unnamed(
        _ address: EmailAddress, _ domain: DomainEntry, _ path: AliasPath, in book: some AddressBook,
        _ expansion: inout Expansion
    ) throws(Expansion.Stop) {
        if Expansion.leadsBack(path) { return try expansion.cycle(path) }
        let isRole = isRole(candidates(path).last?.address ?? address)
        if isRole, let postmaster, !path.contains(where: { $0.reason == .role }) {
            return try expansion.visit(RouteStep(postmaster, .role), after: path)
        }
        let key = [UInt8(ascii: "@")] + address.domain.bytes
        let catchAll = try Expansion.ask { () throws(DirectoryUnavailable) in try book.entry(key) }
        if !catchAll.targets.isEmpty {
            for target in catchAll.targets { try expansion.visit(RouteStep(target, .catchAll), after: path) }
        } else if domain.route != nil {
            try expansion.remote(address, domain.route, path)
        } else if isRole, let own = EmailAddress(localPart: Array("postmaster".utf8), domain: address.domain), own != address,
            !path.contains(where: { $0.reason == .role })
        {
            // `abuse@` of a domain whose postmaster has an account there.
            try expansion.visit(RouteStep(own, .role), after: path)
        } else if isRole {
            throw .held(RouteRefusal(address: address, reason: .noPostmaster, path: path))
        } else {
            try expansion.refuse(address, .noSuchAddress, path)
        }
    }

    /// RFC 5321 §4.5.1: `postmaster` always; RFC 2142 §4: `abuse`.
    private func isRole(_ address: EmailAddress) -> Bool {
        address.localPart.equalsIgnoringASCIICase("postmaster") || address.localPart.equalsIgnoringASCIICase("abuse")
    }
}
