// What the server must know of a header while it flies past: how often it was received, and its Message-ID.

private import MailModel

/// Reads a message's header section in pieces of any size; holds one bounded line.
package struct HeaderSection: Sendable {
    /// `Received:` fields (RFC 5321 §6.3): above the hop limit the message is in a loop.
    package private(set) var receivedCount = 0
    /// The first `Message-ID:` field's value, unfolded and trimmed, at most 998 bytes; nil if absent or longer.
    package private(set) var messageID: [UInt8]?
    /// The empty line has been seen: the rest is body.
    package private(set) var isOver = false

    private var line: [UInt8] = []
    private var lineLength = 0
    private var isInMessageID = false
    private var isMessageIDClosed = false

    private static let valueLimit = 998

    package init() {}

    package mutating func take(_ bytes: UnsafeRawBufferPointer) {
        var start = 0
        var index = 0
        while index < bytes.count, !isOver {
            if bytes[index] == 10 {
                hold(UnsafeRawBufferPointer(rebasing: bytes[start...index]))
                lineEnded()
                start = index + 1
            }
            index += 1
        }
        if !isOver, start < bytes.count { hold(UnsafeRawBufferPointer(rebasing: bytes[start...])) }
    }

    /// A line longer than a header line may be is cut: nothing we look for is that long.
    private mutating func hold(_ bytes: UnsafeRawBufferPointer) {
        lineLength += bytes.count
        let room = HeaderSection.valueLimit + 2 - line.count
        if room > 0 { line.append(contentsOf: bytes.prefix(room)) }
    }

    private mutating func lineEnded() {
        defer {
            line.removeAll(keepingCapacity: true)
            lineLength = 0
        }
        let isWhole = lineLength == line.count
        if isWhole, line == [13, 10] || line == [10] {
            isOver = true
            return
        }
        let text = line.prefix { $0 != 13 && $0 != 10 }
        if text.first == 0x20 || text.first == 0x09 { return isInMessageID ? extendMessageID(text, isWhole) : () }
        isInMessageID = false
        if value(of: "received", in: text) != nil {
            receivedCount += 1
        } else if !isMessageIDClosed, let value = value(of: "message-id", in: text) {
            (isInMessageID, isMessageIDClosed) = (true, true)
            messageID = isWhole ? trimmed(value) : nil
        }
    }

    /// A folded value (RFC 5322 §2.2.3); mail programs that fold before the id exist.
    private mutating func extendMessageID(_ text: ArraySlice<UInt8>, _ isWhole: Bool) {
        guard let value = messageID else { return }
        let joined = trimmed((value + text)[...])
        messageID = isWhole && joined.count <= HeaderSection.valueLimit ? joined : nil
    }

    /// What follows `name:`; space before the colon is obsolete and met (RFC 5322 §4.5).
    private func value(of name: StaticString, in text: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        let length = name.utf8CodeUnitCount
        guard text.count > length, text.prefix(length).equalsIgnoringASCIICase(name) else { return nil }
        let rest = text.dropFirst(length).drop { $0 == 0x20 || $0 == 0x09 }
        return rest.first == UInt8(ascii: ":") ? rest.dropFirst() : nil
    }

    private func trimmed(_ text: ArraySlice<UInt8>) -> [UInt8] {
        var text = text.drop { $0 == 0x20 || $0 == 0x09 }
        while let last = text.last, last == 0x20 || last == 0x09 { text = text.dropLast() }
        return Array(text)
    }
}
