// Macros of SPF (RFC 7208 §7): read once into pieces, so that no expansion can be read as a macro again.

internal import MailModel

/// A `domain-spec`, `macro-string` or `explain-string`.
struct SPFMacro: Hashable, Sendable {
    enum Piece: Hashable, Sendable {
        case literal([UInt8])
        case expansion(Expansion)
    }

    struct Expansion: Hashable, Sendable {
        let letter: Letter
        /// Parts from the right that stay; nil for all.
        let kept: Int?
        let isReversed: Bool
        /// Empty for the dot.
        let delimiters: [UInt8]
        /// Written in upper case: URL escapes (RFC 7208 §7.3).
        let isEscaped: Bool
    }

    /// `macro-letter` (RFC 7208 §7.1).
    enum Letter: UInt8, Hashable, Sendable {
        case sender = 0x73, localPart = 0x6C, senderDomain = 0x6F, domain = 0x64, address = 0x69, validatedName = 0x70, family = 0x76, hello = 0x68
        // Only in the text of an explanation.
        case readableAddress = 0x63, receiver = 0x72, time = 0x74

        var isForExplanations: Bool {
            switch self {
            case .readableAddress, .receiver, .time: true
            case .sender, .localPart, .senderDomain, .domain, .address, .validatedName, .family, .hello: false
            }
        }
    }

    let pieces: [Piece]

    private func uses(_ letter: Letter) -> Bool {
        pieces.contains { if case .expansion(let expansion) = $0 { expansion.letter == letter } else { false } }
    }

    /// Whether `%{p}` is among them, which takes questions of its own.
    var needsName: Bool { uses(.validatedName) }
    var needsLocalPart: Bool { uses(.localPart) || uses(.sender) }
}

/// What is wrong with a record; the term that has it is told beside.
package enum SPFSyntaxError: String, Error, Sendable, Hashable {
    case macro = "bad macro"
    case domain = "bad domain"
    case mechanism = "unknown mechanism"
    case argument = "bad argument"
    case modifier = "bad modifier"
    case repeated = "modifier given twice"
    case tooLong = "record too long"
}
