// `esmtp-param` of RFC 5321 §4.1.2: how a parameter of MAIL or RCPT is set apart from its value and from the next.

private import MailModel

/// Why parameters are none.
package enum ParameterFault: Error, Sendable, Equatable { case syntax, unknown }

/// One parameter: `KEYWORD` or `KEYWORD=value`.
struct ParameterWord {
    /// In upper case; empty if it is no word that a keyword could be.
    let name: String
    let value: ArraySlice<UInt8>
    private let hasValue: Bool

    /// The parameters behind a path, the space before each included.
    static func words(of text: ArraySlice<UInt8>) throws(ParameterFault) -> [ParameterWord] {
        guard text.isEmpty || text.first == UInt8(ascii: " ") else { throw .syntax }
        return text.split(separator: UInt8(ascii: " ")).map { ParameterWord($0) }
    }

    private init(_ word: ArraySlice<UInt8>) {
        let keyword = word.prefix { $0 != UInt8(ascii: "=") }
        // No keyword of ours is longer. Only ASCII becomes a String: U+212A would be equal to `K`.
        let isName = keyword.count <= 16 && keyword.allSatisfy { $0 < 0x80 }
        name = isName ? keyword.map { $0.isASCIILetter ? $0 & 0xDF : $0 }.display : ""
        value = word.dropFirst(keyword.count + 1)
        hasValue = keyword.count < word.count
    }

    /// Keeps the value of a parameter that was not given yet.
    func set<Value>(_ place: inout Value?, _ value: Value?) throws(ParameterFault) {
        guard place == nil, let value else { throw .syntax }
        place = value
    }

    /// Keeps that a parameter without a value was given, once.
    func set(_ place: inout Bool) throws(ParameterFault) {
        guard !place, !hasValue else { throw .syntax }
        place = true
    }
}
