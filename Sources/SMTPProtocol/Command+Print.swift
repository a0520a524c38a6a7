// Commands as our client sends them. Parts are validated values, so no line break can come in.

private import MailModel

extension Command {
    /// The line with its CRLF.
    package var wire: [UInt8] { words + [13, 10] }

    private var words: [UInt8] {
        switch self {
        case .helo(let name): Array("HELO ".utf8) + name
        case .ehlo(let name): Array("EHLO ".utf8) + name
        case .mail(let sender, let parameters):
            Array("MAIL FROM:<".utf8) + sender.wire + Array(">".utf8) + parameters.wire
        case .rcpt(.postmaster): Array("RCPT TO:<postmaster>".utf8)
        case .rcpt(.mailbox(let address)): Array("RCPT TO:<".utf8) + address.wire + Array(">".utf8)
        case .data: Array("DATA".utf8)
        case .rset: Array("RSET".utf8)
        case .noop: Array("NOOP".utf8)
        case .quit: Array("QUIT".utf8)
        case .vrfy: Array("VRFY postmaster".utf8)
        case .help: Array("HELP".utf8)
        case .startTLS: Array("STARTTLS".utf8)
        case .auth(let mechanism, let initial):
            Array("AUTH ".utf8) + mechanism + (initial.map { [UInt8(ascii: " ")] + $0 } ?? [])
        }
    }
}

extension MailParameters {
    /// Each parameter with the space before it.
    var wire: [UInt8] {
        var out: [UInt8] = []
        if let size { out += Array(" SIZE=\(size)".utf8) }
        switch body {
        case .sevenBit: out += Array(" BODY=7BIT".utf8)
        case .eightBitMIME: out += Array(" BODY=8BITMIME".utf8)
        case nil: break
        }
        switch submitter {
        case .null: out += Array(" AUTH=<>".utf8)
        case .address(let address): out += Array(" AUTH=".utf8) + XText.encode(address.wire)
        case nil: break
        }
        return out
    }
}
