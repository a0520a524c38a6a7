// A submitted message looked at while it comes in: its header in the first piece, the length of its lines in all of them.

import MailFormat

/// What is known of the content so far.
struct ContentExamination {
    /// Nil before the first piece.
    private(set) var header: SubmittedHeader?
    private var lines = LineMeasure()

    var longestLine: Int { lines.longest }

    /// The next piece; the first one is the whole message, or longer than any header that is taken.
    mutating func take(_ bytes: [UInt8], isWhole: Bool) {
        if header == nil { header = SubmittedHeader(of: bytes, isWhole: isWhole) }
        lines.take(bytes)
    }
}
