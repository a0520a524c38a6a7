// RETR and TOP under way (RFC 1939 §5 and §7): the message goes through in pieces, one at a time.

extension Session {
    /// A message on its way to the client.
    struct Transfer: Sendable {
        let index: Int
        var cut: TopCut?
        /// Bytes of the file that were read.
        var offset = 0
        var encoder = MultilineEncoder()

        init(index: Int, cut: TopCut?) {
            self.index = index
            self.cut = cut
        }
    }

    mutating func askForMore() {
        ask(.content(of: transfer.index, from: transfer.offset))
        state = .asking
    }

    mutating func contentCame(_ answer: Answer) {
        switch answer {
        case .content(let bytes): deliver(bytes)
        case .missing: failTransfer(Reply.error("the message is gone"))
        case .unavailable, .opened, .inUse, .updated:
            failTransfer(Reply.error("cannot read the message now", .systemTemporary))
        }
    }

    /// In the middle of a response there is no way to say that it failed: a cut connection says it (RFC 1939 §3).
    private mutating func failTransfer(_ reply: [UInt8]) {
        if transfer.offset > 0 { return end() }
        send(reply)
        state = .ready
    }

    private mutating func deliver(_ bytes: [UInt8]) {
        var out: [UInt8] = []
        out.reserveCapacity(bytes.count + bytes.count / 64 + 64)
        if transfer.offset == 0 { out += greeting }
        transfer.offset += bytes.count
        let wanted = transfer.cut?.wanted(of: bytes) ?? bytes.count
        transfer.encoder.append(bytes.prefix(wanted), to: &out)
        if bytes.isEmpty || transfer.cut?.isReached == true {
            transfer.encoder.finish(to: &out)
            state = .ready
        } else {
            state = .sending
        }
        send(out)
    }

    private var greeting: [UInt8] {
        transfer.cut == nil ? Reply.ok("\(messages[transfer.index].size) octets") : Reply.ok("top of message follows")
    }
}
