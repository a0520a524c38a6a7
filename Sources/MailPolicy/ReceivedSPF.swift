// `Received-SPF:` (RFC 7208 §9.1), to stand above the `Received:` of the host that checked.

internal import MailModel

extension SPFOutcome {
    /// The whole field, folded, with its line break.
    ///
    ///     Received-SPF: pass (mx.example.org: domain of example.com designates 192.0.2.1 as permitted
    ///         sender) client-ip=192.0.2.1; envelope-from="alice@example.com"; …
    package var receivedSPF: [UInt8] {
        var field = FieldText("Received-SPF")
        field.add(result.rawValue)
        field.add(comment: subject.receiver.bytes + Array(": ".utf8) + sentence)
        let pairs = self.pairs
        for (index, pair) in pairs.enumerated() {
            let end = index == pairs.count - 1 ? "" : ";"
            field.add(Array("\(pair.key)=".utf8) + FieldText.dotAtomOrQuoted(pair.value) + Array(end.utf8))
        }
        return field.line
    }

    /// RFC 7208 §9.1: the first four are what a later reader needs to check again.
    private var pairs: [(key: String, value: [UInt8])] {
        var pairs: [(key: String, value: [UInt8])] = [
            ("client-ip", subject.client.text),
            ("envelope-from", subject.address?.wire ?? subject.localPart + [UInt8(ascii: "@")] + subject.domain),
            ("helo", subject.hello),
            ("identity", Array(subject.identity.rawValue.utf8)),
            ("receiver", subject.receiver.bytes),
        ]
        if let mechanism { pairs.append(("mechanism", mechanism)) }
        if let problem { pairs.append(("problem", problem)) }
        return pairs
    }

    private var sentence: [UInt8] {
        let domain = Array("domain of ".utf8) + subject.domain.prefix(100)
        let client = subject.client.text
        switch result {
        case .pass: return domain + Array(" designates ".utf8) + client + Array(" as permitted sender".utf8)
        case .fail: return domain + Array(" does not designate ".utf8) + client + Array(" as permitted sender".utf8)
        case .softfail: return domain + Array(" discourages use of ".utf8) + client + Array(" as sender".utf8)
        case .neutral: return client + Array(" is neither permitted nor denied by ".utf8) + domain
        case .none: return domain + Array(" does not publish a policy".utf8)
        case .temperror: return Array("the policy could not be asked: ".utf8) + domain
        case .permerror: return Array("the policy could not be read: ".utf8) + domain
        }
    }
}
