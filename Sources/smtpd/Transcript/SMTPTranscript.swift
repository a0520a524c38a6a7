// What a session said to and fro, for whoever asked with `mailctl debug`: no password, no content. In doubt a line is left out.

import MailModel

/// Follows both directions of one SMTP session and gives the lines to show. Pure.
struct SMTPTranscript {
    /// Why the client's bytes are not shown now.
    private enum Veil { case none, secret, content }

    private var veil = Veil.none
    /// Commands without a reply; a veil falls with the last.
    private var unanswered = 0
    /// Octets of a chunk that are still to come (RFC 3030 §2).
    private var chunk = 0
    private var line: [UInt8] = []
    private var hidden = 0
    /// Content was asked for (354), so the next reply ends it.
    private var isAsked = false
    /// The client sent content before it was asked to: what is command and what content, nobody can tell any more.
    private var isHopeless = false
    private var hasSeenAUTH = false
    private static let longestLine = 1000
    private static let verbs = Set(
        ["auth", "bdat", "data", "ehlo", "expn", "helo", "help", "mail", "noop", "quit", "rcpt", "rset", "starttls", "vrfy", "xclient"].map { Array($0.utf8) })

    /// Bytes of the client, as they come.
    mutating func received(_ bytes: ArraySlice<UInt8>) -> [[UInt8]] {
        var shown: [[UInt8]] = []
        var rest = bytes
        while let byte = rest.first {
            if isHopeless || veil == .content || chunk > 0 {
                let count = chunk > 0 && veil != .content && !isHopeless ? min(chunk, rest.count) : rest.count
                chunk -= min(chunk, count)
                hidden += count
                rest = rest.dropFirst(count)
                if chunk == 0, veil == .none || isHopeless { shown += takeHidden() }
                continue
            }
            rest = rest.dropFirst()
            if byte == 0x0A { shown.append(endLine()) } else if line.count < SMTPTranscript.longestLine { line.append(byte) }
        }
        return shown
    }

    private mutating func endLine() -> [UInt8] {
        if line.last == 0x0D { line.removeLast() }
        defer { line = [] }
        unanswered += 1
        if veil == .secret { return Array("C: (secret)".utf8) }
        let words = line.split { $0 <= 0x20 }
        // Behind AUTH a client may say its secret whatever we answered: only what is a command is shown.
        if hasSeenAUTH, !SMTPTranscript.verbs.contains(words.first.map { Array($0.asciiLowercased) } ?? []) { return Array("C: (secret)".utf8) }
        switch words.first.map({ $0.map { $0 | 0x20 } }) {
        case Array("auth".utf8):
            veil = .secret
            hasSeenAUTH = true
            return Array("C: AUTH ".utf8) + (words.count > 1 ? words[1].prefix(20) : []) + Array(words.count > 2 ? " (secret)".utf8 : "".utf8)
        case Array("data".utf8): veil = .content
        case Array("bdat".utf8):
            // Without a number that we understand, the session ends; until then nothing is shown.
            guard words.count > 1, words[1].count <= 18, let octets = Int(String(decoding: words[1], as: UTF8.self)), octets >= 0 else {
                veil = .content
                break
            }
            chunk = octets
        default: break
        }
        return Array("C: ".utf8) + line
    }

    private mutating func takeHidden() -> [[UInt8]] {
        guard hidden > 0 else { return [] }
        defer { hidden = 0 }
        return [Array("C: (content, \(hidden) octets)".utf8)]
    }

    /// Replies of ours: whole lines, one or several.
    mutating func sent(_ bytes: [UInt8]) -> [[UInt8]] {
        var shown: [[UInt8]] = []
        for reply in bytes.split(separator: 0x0A) {
            let text = reply.last == 0x0D ? reply.dropLast() : reply
            let isLast = text.count < 4 || text[text.startIndex + 3] != UInt8(ascii: "-")
            if isLast { shown += answered(code: Array(text.prefix(3))) }
            // A challenge of SCRAM has the salt in it.
            shown.append(Array("S: ".utf8) + (text.starts(with: "334 ".utf8) ? Array("334 (challenge)".utf8) : Array(text)))
        }
        return shown
    }

    private mutating func answered(code: [UInt8]) -> [[UInt8]] {
        unanswered = max(0, unanswered - 1)
        guard unanswered == 0 else { return [] }
        if code.elementsEqual("354".utf8) {
            if hidden > 0 { isHopeless = true }
            isAsked = true
            veil = .content
            unanswered = 1
            return []
        }
        if veil == .content, !isAsked, hidden > 0 { isHopeless = true }
        isAsked = false
        let shown = takeHidden()
        if !code.elementsEqual("334".utf8) { veil = .none }
        return shown
    }
}
