// The transcript of one connection, while somebody asked for it.

import Spool

/// Follows from the first byte, because who asks for an account comes in the middle; shows only what is asked for now.
struct SessionTranscript {
    private let program: String
    private var dialogue = SMTPTranscript()

    init(_ program: String) { self.program = program }

    mutating func received(_ bytes: ArraySlice<UInt8>, peer: [UInt8], account: [UInt8]?) {
        show(dialogue.received(bytes), peer, account)
    }

    mutating func sent(_ bytes: [UInt8], peer: [UInt8], account: [UInt8]?) { show(dialogue.sent(bytes), peer, account) }

    private func show(_ lines: [[UInt8]], _ peer: [UInt8], _ account: [UInt8]?) {
        guard !lines.isEmpty, Transcripts.want(address: peer, account: account) else { return }
        for line in lines { Transcripts.write(program, Array("peer=".utf8) + peer + [0x20] + line) }
    }
}
