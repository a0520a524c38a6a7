// The message that is being received, by DATA or in chunks, and what has not gone out of it yet.

private import MailModel

/// Content on its way in; there is one only while a message is being sent.
struct ContentReception: Sendable {
    /// How the content's end is found.
    enum Framing: Sendable {
        case data(ContentFramer)
        case chunks(ChunkFramer)
    }

    var framing: Framing
    /// What has not gone out by `.content`.
    var content: [UInt8] = []
    var isSpilled = false
    /// Why the chunk at hand is refused.
    var refusal: Reply?

    init(_ framing: Framing) { self.framing = framing }

    /// Whether the next byte is content, and not a command's.
    var awaitsContent: Bool {
        switch framing {
        case .data(let framer): !framer.isComplete
        case .chunks(let framer): framer.remaining > 0
        }
    }

    var size: Int {
        switch framing {
        case .data(let framer): framer.size
        case .chunks(let framer): framer.size
        }
    }

    var header: HeaderSection {
        switch framing {
        case .data(let framer): framer.header
        case .chunks(let framer): framer.header
        }
    }

    /// Of this message nothing is kept: its memory is constant.
    var isSpoiled: Bool {
        switch framing {
        case .data(let framer): framer.fault != nil
        case .chunks: refusal != nil
        }
    }

    mutating func consume(_ bytes: UnsafeRawBufferPointer) -> Int {
        switch framing {
        case .data(var framer):
            defer { framing = .data(framer) }
            return framer.consume(bytes, into: &content)
        case .chunks(var framer):
            defer { framing = .chunks(framer) }
            return framer.consume(bytes, into: &content)
        }
    }
}
