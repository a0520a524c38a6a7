// One real message through the services: in by SMTP, out by POP3 and IMAP, and nothing of it left behind.

import Configuration
import Connection
import DirectoryDatabase
import Kernel
import MailModel

struct RoundTrip {
    private let patient: Patient
    private let listeners: OwnListeners
    private let account: ThrowAwayAccount
    /// A text that no other message has.
    private let token: String

    static func all(_ patient: Patient) -> [Finding] {
        let down = [Service.smtpd, .queued, .locald, .pop3d, .imapd].filter { !patient.isRunning($0) }
        if let first = down.first {
            return [.unknown("round trip", "not tried: \(first.rawValue) is not running", remedy: patient.mailctl("start \(first.rawValue)"))]
        }
        ThrowAwayAccount.sweep(patient)
        guard let domains = try? patient.options.openDirectory().domains() else {
            return [.unknown("round trip", "not tried: the directory database cannot be read", remedy: "run it as root, or as the owner of the tree")]
        }
        guard let domain = domains.first?.domain else {
            return [.unknown("round trip", "not tried: no domain is ours", remedy: patient.mailctl("domain add DOMAIN"))]
        }
        do throws(Failure) {
            let account = try ThrowAwayAccount.make(patient, domain: domain)
            let trip = RoundTrip(patient: patient, listeners: OwnListeners(patient), account: account, token: account.address.description)
            let (findings, arrived) = trip.travel()
            return findings + [account.remove(patient, mailIsUnderWay: !arrived)].compactMap(\.self) + trip.listeners.findings()
        } catch {
            return [.problem("round trip", "no throw-away account could be made: \(error.what)", remedy: error.remedy)]
        }
    }

    /// `arrived`: no message is under way any more.
    private func travel() -> (findings: [Finding], arrived: Bool) {
        let begun = MonotonicTime.now()
        var arrived = false
        for leg in Leg.allCases {
            do throws(Conversation.Broken) {
                try go(leg)
                arrived = arrived || leg == .delivery
            } catch {
                let log = "grep -a problem \(patient.configuration.paths.spool)/\(leg.service.rawValue)/events/*.log"
                return ([.problem("round trip", of: leg.rawValue, error.reason, remedy: log + " says what \(leg.service.rawValue) met")], arrived)
            }
        }
        return ([.ok("round trip", "by SMTP in, by POP3 and IMAP out, in \((MonotonicTime.now() - begun).wholeMilliseconds) ms")], true)
    }

    // MARK: The legs

    private enum Leg: String, CaseIterable {
        case smtp = "SMTP", delivery, pop3 = "POP3", imap = "IMAP"

        var service: Service {
            switch self {
            case .smtp: .smtpd
            case .delivery: .queued
            case .pop3: .pop3d
            case .imap: .imapd
            }
        }
    }

    private func go(_ leg: Leg) throws(Conversation.Broken) {
        switch leg {
        case .smtp: try submit()
        case .delivery: try arrive()
        case .pop3: try readByPOP3()
        case .imap: try readByIMAP()
        }
    }

    private func submit() throws(Conversation.Broken) {
        let session = try listeners.connect(.smtp)
        defer { session.close() }
        for (command, code) in [
            ("MAIL FROM:<>", "250"), ("RCPT TO:<\(account.address)>", "250"), ("DATA", "354"),
            ("From: mailctl doctor <\(account.address)>\r\nTo: <\(account.address)>\r\nSubject: examination\r\n\r\n\(token)\r\n.", "250"), ("QUIT", "221"),
        ] {
            session.send(command + "\r\n")
            let reply = try session.reply()
            guard reply.hasPrefix(code) else { throw Conversation.Broken(reason: "\(command.prefix { $0 != "\r" && $0 != "\r\n" }) was answered: \(reply)") }
        }
    }

    /// Looks for the file itself: who brings it has no protocol to ask.
    private func arrive() throws(Conversation.Broken) {
        for _ in 0..<400 {
            if let folder = try? DirectoryDescriptor(opening: patient.configuration.paths.store / account.folder / "new"), let names = try? folder.list(), !names.isEmpty { return }
            pause(milliseconds: 50)
        }
        throw Conversation.Broken(reason: "the message was accepted and did not arrive within 20 s; " + patient.mailctl("queue list") + " says where it is")
    }

    private func readByPOP3() throws(Conversation.Broken) {
        let session = try listeners.connect(.pop3s)
        defer { session.close() }
        for command in ["USER \(account.address)", "PASS \(account.password)", "RETR 1"] {
            session.send(command + "\r\n")
            let reply = try session.line()
            guard reply.hasPrefix("+OK") else { throw Conversation.Broken(reason: "\(command.prefix(4)) was answered: \(reply)") }
        }
        var isThere = false
        while true {
            let line = try session.line()
            if line == "." { break }
            isThere = isThere || line == token
        }
        session.send("QUIT\r\n")
        _ = try session.line()
        guard isThere else { throw Conversation.Broken(reason: "the message is not the one that was sent") }
    }

    private func readByIMAP() throws(Conversation.Broken) {
        let session = try listeners.connect(.imaps)
        defer { session.close() }
        var isThere = false
        for command in [
            "LOGIN \"\(account.address)\" \"\(account.password)\"", "SELECT INBOX", "FETCH 1 BODY.PEEK[]", "STORE 1 +FLAGS.SILENT (\\Deleted)", "EXPUNGE", "LOGOUT",
        ] {
            session.send("d " + command + "\r\n")
            while true {
                let line = try session.line()
                isThere = isThere || line == token
                guard line.hasPrefix("d ") else { continue }
                if line.hasPrefix("d OK") { break }
                throw Conversation.Broken(reason: "\(command.prefix { $0 != " " }) was answered: \(line.dropFirst(2))")
            }
        }
        guard isThere else { throw Conversation.Broken(reason: "the message is not the one that was sent") }
    }
}

extension Conversation {
    /// The last line of an SMTP reply (RFC 5321 §4.2.1).
    func reply() throws(Broken) -> String {
        while true {
            let line = try line()
            if line.dropFirst(3).first != "-" { return line }
        }
    }
}
