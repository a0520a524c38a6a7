// Which rule decides the next hop of a copy. One function: queued acts on it, and `mailctl explain` prints it.

/// Which mail a route is for: that of a recipient's domain, of a sender, or all. Names are kept with A-labels, so that either spelling finds them.
package struct RoutePattern: Hashable, Sendable {
    /// The key of the table: `example.org`, `.example.org`, `*`; of senders `<example.org`, `<.example.org`, `<alice@example.org`.
    package let key: [UInt8]

    /// `example.org`, `.example.org` (what lies in it) or `*` (all that no other route is for); of a sender also an address.
    package init?(parsing text: some Collection<UInt8>, ofSender isSender: Bool = false) {
        let text = Array(text)
        let prefix = isSender ? [RoutePattern.sender] : []
        if text == RoutePattern.everything.key, !isSender {
            key = text
        } else if text.first == UInt8(ascii: "."), let domain = Domain(parsing: text.dropFirst()), !domain.isAddressLiteral {
            key = prefix + [UInt8(ascii: ".")] + RoutePattern.plain(domain).bytes
        } else if let domain = Domain(parsing: text) {
            key = prefix + RoutePattern.plain(domain).bytes
        } else if isSender, let address = EmailAddress(parsing: text) {
            key = prefix + RoutePattern.plain(address).canonical
        } else {
            return nil
        }
    }

    private init(key: [UInt8]) { self.key = key }

    /// A key that was stored.
    package init(storedKey key: [UInt8]) { self.init(key: key) }

    private static let sender = UInt8(ascii: "<")
    package static let everything = RoutePattern(key: [UInt8(ascii: "*")])

    package static func domain(_ domain: Domain) -> RoutePattern { RoutePattern(key: plain(domain).bytes) }

    package var isOfSender: Bool { key.first == RoutePattern.sender }

    /// As it could be written, without the mark of a sender.
    package var text: [UInt8] { isOfSender ? Array(key.dropFirst()) : key }

    /// The patterns that hold for a copy, the deciding ones first: the recipient's domain, what it lies in, the sender, the
    /// sender's domain, what that lies in, everything. At most 260: a domain has 127 labels.
    package static func candidates(recipient: Domain, sender: EmailAddress?) -> [RoutePattern] {
        let recipient = plain(recipient)
        var found = [RoutePattern.domain(recipient)] + parents(of: recipient).map { RoutePattern(key: $0) }
        if let sender = sender.map(plain) {
            found.append(RoutePattern(key: [RoutePattern.sender] + sender.canonical))
            found.append(RoutePattern(key: [RoutePattern.sender] + sender.domain.bytes))
            found += parents(of: sender.domain).map { RoutePattern(key: [RoutePattern.sender] + $0) }
        }
        return found + [.everything]
    }

    /// A name that has no A-labels stands for itself.
    private static func plain(_ domain: Domain) -> Domain { domain.aLabels ?? domain }

    private static func plain(_ address: EmailAddress) -> EmailAddress {
        EmailAddress(localPart: address.localPart, domain: plain(address.domain)) ?? address
    }

    /// `.example.org` and `.org` for `mx.example.org`, the nearest first.
    private static func parents(of domain: Domain) -> [[UInt8]] {
        guard !domain.isAddressLiteral else { return [] }
        return domain.bytes.indices.filter { domain.bytes[$0] == UInt8(ascii: ".") }.map { Array(domain.bytes[$0...]) }
    }
}

extension RoutePattern: CustomStringConvertible {
    package var description: String { (isOfSender ? "from " : "") + text.display }
}

/// What decided a next hop.
package enum RouteRule: Hashable, Sendable, CustomStringConvertible {
    case route(RoutePattern)
    /// `remote.smarthost`.
    case smarthost
    /// No rule: the servers that DNS names.
    case exchangers

    package var description: String {
        switch self {
        case .route(let pattern): "route \(pattern)"
        case .smarthost: "remote.smarthost"
        case .exchangers: "no route"
        }
    }
}

/// Where a copy goes, and why there.
package struct RouteDecision: Hashable, Sendable {
    package let hop: NextHop
    package let rule: RouteRule

    package init(hop: NextHop, rule: RouteRule) {
        self.hop = hop
        self.rule = rule
    }

    /// The next hop of a copy for `recipient` that goes out with `sender`; `find` looks a pattern up.
    package static func decide<Failure: Error>(
        recipient: EmailAddress, sender: EmailAddress?, smarthost: NextHop?, find: (RoutePattern) throws(Failure) -> NextHop?
    ) throws(Failure) -> RouteDecision {
        for pattern in RoutePattern.candidates(recipient: recipient.domain, sender: sender) {
            if let hop = try find(pattern) { return RouteDecision(hop: hop, rule: .route(pattern)) }
        }
        guard let smarthost else { return RouteDecision(hop: .exchangers, rule: .exchangers) }
        return RouteDecision(hop: smarthost, rule: .smarthost)
    }
}
