// `Authentication-Results:` (RFC 8601): what each method found, for those who read the message later.

package import MailModel

/// One `resinfo` (RFC 8601 §2.2): `spf=fail reason="…" smtp.mailfrom=example.com`.
package struct AuthenticationMethod: Hashable, Sendable {
    package struct Property: Hashable, Sendable {
        /// `smtp.mailfrom`, `header.d`, …: fixed words of ours.
        package let name: String
        package let value: [UInt8]

        package init(_ name: String, _ value: [UInt8]) {
            self.name = name
            self.value = value
        }
    }

    /// `spf`, `iprev`, …: a fixed word of ours, as is `result`.
    package let name: String
    package let result: String
    package let reason: [UInt8]?
    package let properties: [Property]

    package init(_ name: String, _ result: String, reason: [UInt8]? = nil, _ properties: [Property]) {
        self.name = name
        self.result = result
        self.reason = reason
        self.properties = properties
    }

    /// The words in their order, each safe to stand in a field.
    var words: [[UInt8]] {
        [Array("\(name)=\(result)".utf8)] + (reason.map { [Array("reason=".utf8) + FieldText.quoted($0)] } ?? [])
            + properties.map { Array("\($0.name)=".utf8) + FieldText.tokenOrQuoted($0.value) }
    }
}

package enum AuthenticationResults {
    /// The whole field, folded, with its line break; `none` where nothing was checked (RFC 8601 §2.2).
    package static func field(host: Domain, _ methods: [AuthenticationMethod]) -> [UInt8] {
        var field = FieldText("Authentication-Results")
        field.add(FieldText.tokenOrQuoted(host.bytes) + [UInt8(ascii: ";")])
        if methods.isEmpty { field.add("none") }
        for (index, method) in methods.enumerated() {
            var words = method.words
            if index < methods.count - 1 { words[words.count - 1].append(UInt8(ascii: ";")) }
            for word in words { field.add(word) }
        }
        return field.line
    }
}

extension SPFOutcome {
    /// RFC 8601 §2.7.2. The domain alone: it is what was checked, and what DMARC asks for.
    package var authenticationMethod: AuthenticationMethod {
        let property = subject.address == nil ? "smtp.helo" : "smtp.mailfrom"
        return AuthenticationMethod("spf", result.rawValue, reason: problem, [.init(property, subject.domain)])
    }
}

extension ReverseLookup {
    /// RFC 8601 §2.7.3 iprev; nil while it is not known.
    package var authenticationMethod: AuthenticationMethod? {
        guard question == nil || !names.isEmpty else { return nil }
        return AuthenticationMethod("iprev", result, [.init("policy.iprev", client.text)])
    }

    private var result: String {
        if !names.isEmpty { return "pass" }
        if isIncomplete { return "temperror" }
        return isVoid ? "permerror" : "fail"
    }
}
