// Content becomes lines of CRLF before anybody stores it: DATA brings nothing else, chunks may bring anything.

import MailFormat
import MailModel
import SMTPProtocol

/// What a message's content goes through on its way to the log; one value a message.
enum ContentLines {
    /// By DATA: every line ends with CRLF already.
    case asReceived
    /// In chunks: a bare CR or LF becomes a line end, since nobody downstream may send it on (RFC 5321 §2.3.8).
    case normalised(CRLFNormaliser)
    /// BODY=BINARYMIME: what is not text is encoded, so that every reader and every next hop can take it (RFC 3030 §3).
    case encoded(BinaryEncoder)

    init(_ envelope: Envelope?, _ facts: AcceptFacts) {
        if envelope?.body == .binaryMIME { self = .encoded(BinaryEncoder()) }
        else if facts.isChunked { self = .normalised(CRLFNormaliser(bareReturn: .lineEnd)) }
        else { self = .asReceived }
    }

    mutating func take(_ bytes: [UInt8]) -> [UInt8] {
        var out: [UInt8] = []
        switch self {
        case .asReceived: return bytes
        case .normalised(var lines):
            lines.append(bytes, to: &out)
            self = .normalised(lines)
        case .encoded(var encoder):
            encoder.append(bytes, to: &out)
            self = .encoded(encoder)
        }
        return out
    }

    /// What is still to come at the end.
    mutating func finish() -> [UInt8] {
        var out: [UInt8] = []
        switch self {
        case .asReceived: break
        case .normalised(var lines): lines.finish(endLine: true, to: &out)
        case .encoded(var encoder): encoder.finish(to: &out)
        }
        self = .asReceived
        return out
    }
}
