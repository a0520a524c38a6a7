// BDAT (RFC 3030): content in chunks of announced size, between commands. A message of which one chunk was refused is lost
// as a whole: nothing of it is accepted later, until its last chunk, RSET or EHLO ends it.

internal import MailModel

extension ServerSession {
    /// Refused or not, its octets are read; the reply comes behind them.
    mutating func bdat(octets: Int, isLast: Bool) {
        transaction?.isChunked = true
        let refusal = refusal(ofChunk: octets)
        if refusal != nil { spoil() }
        var current = reception ?? ContentReception(.chunks(ChunkFramer(limit: configuration.limits.messageSize)))
        reception = nil
        current.refusal = refusal
        if case .chunks(var framer) = current.framing {
            framer.begin(octets: octets, isLast: isLast, isKept: refusal == nil)
            current.framing = .chunks(framer)
        }
        reception = current
        if octets == 0 { contentPaused() }
    }

    private func refusal(ofChunk octets: Int) -> Reply? {
        guard let transaction else { return .mailFirst }
        if transaction.isSpoiled { return .chunkRefusedBefore }
        if let missing = missingRecipients(transaction) { return missing }
        if case .chunks(let framer)? = reception?.framing { return framer.exceedsLimit(octets) ? .tooBig : nil }
        return octets > configuration.limits.messageSize ? .tooBig : nil
    }

    /// Nothing more of this message counts, and what it has left behind goes.
    mutating func spoil() {
        transaction?.isSpoiled = true
        if reception?.isSpilled == true { act(.discardContent) }
        reception?.isSpilled = false
        reception?.content = []
    }

    /// The chunk at hand has been read to its end.
    mutating func chunkEnded(_ framer: ChunkFramer) {
        guard let refusal = reception?.refusal else {
            return framer.isLast ? contentEnded() : replyInGroup(.chunkOK)
        }
        if framer.isLast || transaction == nil { forget(.transaction) }
        // What follows a refused chunk was under way when it was refused: one error, not many.
        if refusal == .chunkRefusedBefore { replyInGroup(refusal) } else { refuse(refusal) }
    }
}
