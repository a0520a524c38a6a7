// What `with:` and `then:` lines mean in SMTP transcripts; Tests/Transcripts/README.md lists them for writers.

import MailModel
import MailTestKit
import SMTPProtocol

extension SMTPWorld {
    init(_ settings: [Transcript.Setting]) throws {
        configuration = ServerConfiguration(
            service: .relay, hostName: try Self.required(Domain("mx.example.org")),
            mechanisms: ["SCRAM-SHA-256", "PLAIN", "LOGIN"].map { bytes($0) })
        configuration.limits.messageSize = 1_000_000
        for setting in settings { try apply(setting) }
    }

    private static func required<T>(_ value: T?) throws -> T {
        guard let value else { throw TranscriptFailure("SMTPWorld", line: 0, "bad fixture") }
        return value
    }

    private mutating func apply(_ setting: Transcript.Setting) throws {
        let fail = TranscriptFailure("with", line: 0, "\(setting.key): \(setting.words) not understood")
        let number = setting.words.last.flatMap { Int($0) }
        switch (setting.key, setting.words) {
        case ("memory", ["only"]): break
        case ("service", ["relay"]): configuration.service = .relay
        case ("service", ["submission"]): configuration.service = .submission
        case ("tls", []): configuration.offersTLS = true
        case ("tls", ["active"]): (configuration.offersTLS, isTLS) = (true, true)
        case ("plaintext", []): configuration.allowsPlaintextAuthentication = true
        case ("mechanisms", let names): configuration.mechanisms = names.map { bytes($0) }
        case ("postmaster", ["none"]): directory.localParts.remove("postmaster")
        case ("directory", ["unavailable"]): directory.isUnavailable = true
        case ("spool", ["full"]): directory.isFull = true
        case ("spool", ["failing"]): directory.cannotAccept = true
        case ("senders", ["refused"]): directory.refusesSenders = true
        case ("user", let words) where words.count == 2:
            directory.passwords[words[0]] = words[1]
            directory.localParts.insert(words[0])
        case ("offer", let words): try offer(words, fail)
        case ("limit", let words) where words.count == 2: try limit(words[0], Self.required(number))
        default: throw fail
        }
    }

    private mutating func offer(_ words: [String], _ fail: TranscriptFailure) throws {
        switch words.first {
        case "SMTPUTF8": configuration.extensions.smtpUTF8 = true
        case "DSN": configuration.extensions.dsn = true
        case "CHUNKING": configuration.extensions.chunking = true
        case "BINARYMIME": configuration.extensions.binaryMIME = true
        case "REQUIRETLS": configuration.extensions.requireTLS = true
        case "LIMITS": configuration.extensions.limits = true
        case "FUTURERELEASE" where words.count == 3:
            let until = try Self.required(InternetTime(parsing: bytes(words[2])))
            configuration.extensions.futureRelease = .init(interval: try Self.required(Int(words[1])), until: until)
        case "DELIVERBY": configuration.extensions.deliverBy = .init(minimum: words.count == 2 ? try Self.required(Int(words[1])) : 0)
        case "MT-PRIORITY": configuration.extensions.priority = try Self.required(.init(rawValue: words.last ?? ""))
        default: throw fail
        }
    }

    private mutating func limit(_ name: String, _ value: Int) throws {
        switch name {
        case "size": configuration.limits.messageSize = value
        case "recipients": configuration.limits.recipients = value
        case "transactions": configuration.limits.transactions = value
        case "domains": configuration.limits.recipientDomains = value
        case "errors": configuration.limits.errors = value
        case "commands": configuration.limits.commandsWithoutMail = value
        case "hops": configuration.limits.hops = value
        case "inline": configuration.limits.inlineContent = value
        case "logins": configuration.limits.authenticationFailures = value
        default: throw TranscriptFailure("with", line: 0, "limit \(name) not understood")
        }
    }

    func unmet(_ expectation: Transcript.Expectation) -> String? {
        switch expectation.key {
        case "nothing": return accepted.isEmpty ? nil : "\(accepted.count) messages accepted"
        case "queue":
            return expectation.words == [String(accepted.count)] ? nil : "\(accepted.count) messages accepted"
        case "discarded":
            return connections[1]?.discards == 1 ? nil : "\(connections[1]?.discards ?? 0) contents discarded"
        default: return unmetOfMessage(expectation)
        }
    }

    /// Without the space before them.
    private static func parameters(_ wire: [UInt8]) -> [UInt8] { wire.isEmpty ? bytes("none") : Array(wire.dropFirst()) }

    /// `then: sender 2 a@b`: the rest speaks of the second message.
    private func unmetOfMessage(_ expectation: Transcript.Expectation) -> String? {
        guard let number = expectation.words.first.flatMap({ Int($0) }), accepted.indices.contains(number - 1) else {
            return "no such message; \(accepted.count) accepted"
        }
        let message = accepted[number - 1]
        let wanted = expectation.rest.drop { $0 != " " }.dropFirst()
        let found: [UInt8]
        switch expectation.key {
        case "sender": found = bytes("<") + message.envelope.sender.wire + bytes(">")
        case "recipients": found = Array(message.envelope.recipients.map(\.wire).joined(separator: bytes(" ")))
        case "content": found = message.content
        case "size": found = bytes(String(message.facts.size))
        case "body": found = bytes(message.envelope.body.text)
        case "options": found = Self.parameters(message.envelope.options.wire)
        case "notify":
            found = Array(message.envelope.recipients.map { Self.parameters(message.envelope.options(for: $0).wire) }.joined(separator: bytes(" | ")))
        case "message-id": found = message.facts.messageID ?? bytes("none")
        case "hops": found = bytes(String(message.facts.receivedCount))
        case "helo": found = message.facts.clientName
        case "identity": found = message.facts.identity ?? bytes("none")
        case "protocol": found = bytes((message.facts.isExtended ? "ESMTP" : "SMTP") + (message.facts.isTLS ? "S" : ""))
        case "spilled": found = bytes(message.facts.isSpilled ? "yes" : "no")
        default: return "then: \(expectation.key) not understood"
        }
        return found == Transcript.unescape(String(wanted)) ? nil : "\(expectation.key) is \(found.display)"
    }
}
