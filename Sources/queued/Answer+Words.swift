// Whose words an answer has: remoted quotes a reply with its code, and what begins otherwise is our own.

import MailModel

extension Answer {
    private static let givenUp = (start: Array("gave up after ".utf8), end: Array(" attempts; last: ".utf8))

    /// The end of a copy that was tried for as long as the configuration says; `last` is what the last attempt came to.
    static func givenUp(after attempts: Int, last: Answer) -> Answer {
        let why = givenUp.start + Array(String(attempts).utf8) + givenUp.end + last.reason
        return Answer(status: Array("5.4.7".utf8), reason: why, host: last.host)
    }

    /// The reason without what `givenUp` put before it.
    var lastWords: [UInt8] {
        guard reason.starts(with: Answer.givenUp.start) else { return reason }
        let rest = reason.dropFirst(Answer.givenUp.start.count).drop { $0.isASCIIDigit }
        return rest.starts(with: Answer.givenUp.end) ? Array(rest.dropFirst(Answer.givenUp.end.count)) : reason
    }

    /// `550 no such user` (RFC 5321 §4.2), by the host that the answer names.
    var isReply: Bool {
        let words = lastWords
        return !host.isEmpty && words.count > 3 && words.prefix(3).allSatisfy(\.isASCIIDigit) && words[3] == 0x20
    }
}
