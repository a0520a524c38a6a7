// The header of a message that is too long for memory, kept while it goes by: filters see and change fields, and the body in pieces.

/// Octets up to and with the first empty line.
struct HeaderCapture: Sendable {
    private(set) var bytes: [UInt8] = []
    private(set) var isComplete = false
    /// The header goes on beyond what is kept.
    private(set) var isTooLong = false
    /// Octets of the line at hand, and whether they are one CR.
    private var lineLength = 0
    private var isReturn = false

    /// No mail program writes as much; what has no empty line until here is no message.
    private static let limit = 1 << 20

    init() {}

    /// `content`: the whole of a short message.
    init(_ content: [UInt8]) { hear(content) }

    mutating func hear(_ content: [UInt8]) {
        guard !isComplete, !isTooLong else { return }
        var taken = 0
        for byte in content {
            taken += 1
            if byte == 10 {
                isComplete = lineLength == 0 || lineLength == 1 && isReturn
                if isComplete { break }
                lineLength = 0
            } else {
                lineLength += 1
                isReturn = byte == 13
            }
        }
        bytes += content.prefix(taken)
        isTooLong = bytes.count > HeaderCapture.limit
    }
}
