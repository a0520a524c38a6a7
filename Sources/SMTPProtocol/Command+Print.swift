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
        case .rcpt(.postmaster, let options): Array("RCPT TO:<postmaster>".utf8) + options.wire
        case .rcpt(.mailbox(let address), let options): Array("RCPT TO:<".utf8) + address.wire + Array(">".utf8) + options.wire
        case .data: Array("DATA".utf8)
        case .bdat(let octets, let isLast): Array("BDAT \(octets)\(isLast ? " LAST" : "")".utf8)
        case .rset: Array("RSET".utf8)
        case .noop: Array("NOOP".utf8)
        case .quit: Array("QUIT".utf8)
        case .vrfy: Array("VRFY postmaster".utf8)
        case .help: Array("HELP".utf8)
        case .startTLS: Array("STARTTLS".utf8)
        case .auth(let mechanism, let initial):
            Array("AUTH ".utf8) + mechanism + (initial.map { [UInt8(ascii: " ")] + $0 } ?? [])
        case .xclient(let said): Array("XCLIENT ".utf8) + said.wire
        }
    }
}

extension MailParameters {
    /// Each parameter with the space before it.
    var wire: [UInt8] {
        var out: [UInt8] = []
        if let size { out += Array(" SIZE=\(size)".utf8) }
        if let body { out += Array(" BODY=\(body.text)".utf8) }
        switch submitter {
        case .null: out += Array(" AUTH=<>".utf8)
        case .address(let address): out += Array(" AUTH=".utf8) + XText.encode(address.wire)
        case nil: break
        }
        return out + options.wire
    }
}

extension MessageOptions {
    /// Each parameter with the space before it.
    package var wire: [UInt8] {
        var out: [UInt8] = []
        if isUTF8 { out += Array(" SMTPUTF8".utf8) }
        if requiresTLS { out += Array(" REQUIRETLS".utf8) }
        if let returnContent { out += Array(" RET=\(returnContent.text)".utf8) }
        if let envelopeID { out += Array(" ENVID=".utf8) + XText.encode(envelopeID.bytes) }
        switch hold {
        case .interval(let seconds): out += Array(" HOLDFOR=\(seconds)".utf8)
        case .until(let time): out += Array(" HOLDUNTIL=\(time.text)".utf8)
        case nil: break
        }
        if let deliverBy { out += Array(" BY=\(deliverBy.text)".utf8) }
        if let priority { out += Array(" MT-PRIORITY=\(priority.text)".utf8) }
        return out
    }
}
