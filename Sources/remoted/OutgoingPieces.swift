// The content on its way out, piece by piece; said in 7 bits on the way where that is to be.

import MailFormat

/// Reads content from its beginning; one value a transaction.
struct OutgoingPieces {
    private let content: OutgoingContent
    private var offset = 0
    private var encoder: SevenBitEncoder?
    private var isOver = false
    /// Octets that have gone out.
    private(set) var given = 0

    init(_ content: OutgoingContent) {
        self.content = content
        encoder = content.plan.map { SevenBitEncoder($0) }
    }

    /// The next piece; empty at the end and nowhere before it. Throws when the file no longer gives what it gave.
    mutating func next() throws -> [UInt8] {
        let piece = try read()
        given += piece.count
        return piece
    }

    private mutating func read() throws -> [UInt8] {
        while !isOver {
            let piece = try content.piece(at: offset)
            offset += piece.count
            isOver = piece.isEmpty
            guard encoder != nil else { return piece }
            var out: [UInt8] = []
            if isOver { encoder?.finish(to: &out) } else { encoder?.append(piece[...], to: &out) }
            if !out.isEmpty { return out }
        }
        return []
    }
}

extension OutgoingContent {
    /// The same content for a server without 8BITMIME; throws `ConversionError` where there is no such form. Reads all of it twice.
    func sevenBit() throws -> OutgoingContent { try OutgoingContent(converting: self, by: try survey().plan.get()) }

    /// Whether no header of the message or of a part in it has a byte above 127; false while it cannot be read.
    var hasASCIIHeader: Bool { !isEightBit || (try? survey().isHeaderASCII) ?? false }

    private func survey() throws -> (plan: Result<SevenBitPlan, ConversionError>, isHeaderASCII: Bool) {
        var survey = EightBitSurvey()
        var offset = 0
        while case let piece = try piece(at: offset), !piece.isEmpty {
            survey.append(piece[...])
            offset += piece.count
        }
        let plan = survey.finish()
        return (plan, survey.isHeaderASCII)
    }
}
