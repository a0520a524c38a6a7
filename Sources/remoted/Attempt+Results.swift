// What an attempt came to, in words for the log and for people.

import Connection
import MailFormat
import MailModel
import MailPolicy
import SMTPProtocol

extension Attempt {
    func results(_ found: [RecipientResult], from target: Target, _ ending: Ending?, _ tls: [UInt8]?) -> [RemoteResult] {
        zip(job.copies, found).map { copy, result in
            var outcome = result.outcome.quoting(result.reply).bounded
            if let (status, why) = ending.flatMap(Attempt.cause), case .temporary(let said, _) = outcome, result.reply.isEmpty {
                outcome = .temporary(status ?? said, reason: Array("\(target): \(why)".utf8))
            }
            let isStranger = target.isStranger(result)
            if isStranger { outcome = outcome.waiting }
            // What its sender alone asks for, or a password of one domain, says nothing of the destination to others.
            let isUnreached = Attempt.speaksOfBeginning(result) && !job.options.requiresTLS && !isStranger && !Attempt.isOwnLimit(ending)
            let isSilent = Attempt.neverSpoke(found, ending)
            return RemoteResult(copy: copy, outcome: outcome, host: isSilent && !isUnreached ? job.domain.bytes : Array("\(target)".utf8), tls: tls,
                reply: result.reply.asOneLine, isRelayed: result.missing.contains(.dsn), isUnreached: isUnreached, isLoginRefused: isStranger)
        }
    }

    /// In the policy's words, where it was the policy that kept the mail.
    func kept(_ result: RemoteResult, by security: Security, _ fault: TransportFault?, _ target: Target) -> RemoteResult {
        guard let fault, security.policy.encryption == .required else { return result }
        let sentence = Array("\(target): \(security.sentence(fault, domain: job.domain, isAsked: job.options.requiresTLS))".utf8)
        var kept = result
        kept.keptBy = security.policy.source
        switch result.outcome {
        case .delivered: return result
        case .temporary(let status, _): kept.outcome = .temporary(status, reason: sentence)
        case .permanent(let status, _): kept.outcome = .permanent(status, reason: sentence)
        }
        return kept
    }

    /// It ended before the server had said what it offers.
    static func neverSpoke(_ found: [RecipientResult], _ ending: Ending?) -> Bool {
        if case .notConnected? = ending { return true }
        return isOwnLimit(ending) || found.first?.stage == .greeting
    }

    /// Not the server kept it from beginning.
    static func isOwnLimit(_ ending: Ending?) -> Bool {
        if case .notBegun? = ending { true } else { false }
    }

    /// What an ending says beyond what the session knows.
    private static func cause(_ ending: Ending) -> (EnhancedStatus?, String)? {
        switch ending {
        case .notConnected(let reason): (EnhancedStatus(.temporary, 4, 1), "cannot connect: \(plain(reason))")
        case .notBegun(let reason): (EnhancedStatus(.temporary, 3, 2), "not tried now: \(reason)")
        case .tlsFailed(let reason): (EnhancedStatus(.temporary, 7, 5), "TLS failed: \(reason)")
        case .failed(let reason): (EnhancedStatus(.temporary, 4, 2), "the connection broke: \(plain(reason))")
        case .stalled: (EnhancedStatus(.temporary, 4, 2), "it takes nothing more")
        case .closed, .peerClosed, .drained, .handedOver: nil
        }
    }

    /// The kernel's words without the network library's around them.
    private static func plain(_ reason: String) -> String {
        if reason.contains("connectTimeout") { return "no answer in time" }
        let known = ["Connection refused", "No route to host", "Network is unreachable", "Connection timed out", "Connection reset by peer", "Broken pipe"]
        return known.first { reason.contains($0) }?.lowercased() ?? reason
    }

    /// No session began: the next message would fare no better.
    static func speaksOfBeginning(_ result: RecipientResult) -> Bool {
        guard case .temporary = result.outcome else { return false }
        return switch result.stage {
        case .greeting, .hello, .startTLS, .handshake, .authentication: true
        case .reset, .mail, .recipients, .data, .content, .end, .idle, .quit, .closed: false
        }
    }

    /// Nothing was said about the message: another server of the domain may do better.
    static func speaksOfHost(_ results: [RecipientResult]) -> Bool {
        results.allSatisfy { result in
            // Our own word about what the host lacks.
            if case .permanent = result.outcome { return result.stage == .hello && result.reply.isEmpty }
            guard case .temporary = result.outcome else { return false }
            switch result.stage {
            case .greeting, .hello, .startTLS, .handshake, .authentication: return true
            // No reply: the connection broke before the message could have been taken.
            case .reset, .mail, .recipients, .data: return result.reply.isEmpty
            case .content, .end, .idle, .quit, .closed: return false
            }
        }
    }
}

extension RemoteResult {
    var isTemporary: Bool {
        if case .temporary = outcome { return true }
        return false
    }

    /// The same as the word on a destination of which nothing can be found out now.
    var ofDestination: RemoteResult {
        var result = self
        result.isUnreached = isTemporary
        return result
    }

    /// Back to its sender: the server takes 7 bits, and the message has no such form.
    func unsayable(_ obstacle: ConversionObstacle) -> RemoteResult {
        let status = EnhancedStatus(.permanent, 6, obstacle == .header ? 9 : 3)
        let reason = "the server takes 7-bit content only, and the message cannot be changed to that: \(obstacle.words)"
        var result = RemoteResult(copy: copy, outcome: .permanent(status, reason: Array(reason.utf8)), host: host)
        result.tls = tls
        return result
    }

    /// The same, to be tried again.
    var undecided: RemoteResult {
        guard case .permanent(let status, let reason) = outcome else { return self }
        return RemoteResult(
            copy: copy, outcome: .temporary(EnhancedStatus(.temporary, status.subject, status.detail), reason: reason), host: host, tls: tls, reply: reply)
    }
}

extension DeliveryOutcome {
    /// With a reason that fits a record and a notice, whatever the server wrote.
    fileprivate var bounded: DeliveryOutcome {
        switch self {
        case .delivered: .delivered
        case .temporary(let status, let reason): .temporary(status, reason: reason.asOneLine)
        case .permanent(let status, let reason): .permanent(status, reason: reason.asOneLine)
        }
    }
}

extension [UInt8] {
    /// At most 1000 octets, line ends as blanks.
    fileprivate var asOneLine: [UInt8] {
        let text = prefix(1000).map { $0 == 13 || $0 == 10 ? 0x20 : $0 }
        return Array(text.reversed().drop { $0 == 0x20 }.reversed())
    }
}
