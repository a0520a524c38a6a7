// A small DNS for tests: what names have, and which do not answer.

import MailModel
import Testing

@testable import MailPolicy

/// Lines of `name TYPE value`; `name FAIL` does not answer at all, `name FAIL TYPE` not for that type.
struct Zone: Sendable {
    private var data: [String: [(type: DNSQuestion.RecordType, datum: DNSDatum)]] = [:]
    private var silent: Set<String> = []

    init(_ text: String) {
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ", maxSplits: 2).map(String.init)
            guard words.count >= 2 else { continue }
            add(words[0].lowercased(), words[1], words.count == 3 ? words[2] : "")
        }
    }

    private mutating func add(_ name: String, _ type: String, _ value: String) {
        let bytes = Array(value.utf8)
        switch type {
        case "A", "AAAA":
            guard let address = IPAddress(value) else { preconditionFailure("no address: \(value)") }
            put(name, type == "A" ? .a : .aaaa, .address(address))
        case "MX":
            let parts = value.split(separator: " ", omittingEmptySubsequences: false)
            put(name, .mx, .exchanger(preference: UInt16(parts[0]) ?? 0, host: Array(parts[1].utf8)))
        case "PTR": put(name, .ptr, .pointer(bytes))
        case "TXT": put(name, .txt, .text(bytes))
        case "FAIL": silent.insert(name + " " + value)
        default: preconditionFailure("no type: \(type)")
        }
    }

    mutating func put(_ name: String, _ type: DNSQuestion.RecordType, _ datum: DNSDatum) { data[name, default: []].append((type, datum)) }

    func answer(_ question: DNSQuestion) -> DNSFinding {
        let name = question.name.description
        if silent.contains(name + " ") || silent.contains("\(name) \("\(question.type)".uppercased())") { return .unavailable }
        guard let all = data[name] else { return .noSuchName }
        let found = all.filter { $0.type == question.type }.map(\.datum)
        return found.isEmpty ? .noData : .found(found)
    }

    /// Runs a check to its end; the questions in their order. Nil if it asked more than any check may.
    func check(_ subject: SPFSubject, limits: SPFLimits = SPFLimits()) -> (outcome: SPFOutcome, questions: [DNSQuestion])? {
        var evaluation = SPFEvaluation(subject, limits: limits)
        var questions: [DNSQuestion] = []
        while let question = evaluation.question {
            questions.append(question)
            // One policy, ten terms of an MX with ten hosts each, ten names, an explanation.
            guard questions.count <= 1 + 10 * 11 + 11 + 1 else { return nil }
            evaluation.answered(answer(question))
        }
        return evaluation.outcome.map { ($0, questions) }
    }
}

/// A check in the words of a test table.
struct Check: Sendable, CustomTestStringConvertible {
    let testDescription: String
    var client = "192.0.2.1"
    var from = "alice@example.com"
    var hello = "mail.example.com"
    var identity = SPFSubject.Identity.mailFrom
    let result: SPFResult
    var mechanism: String?
    var explanation: String?

    var subject: SPFSubject? {
        guard let client = IPAddress(client), let receiver = Domain("mx.receiver.example") else { return nil }
        let sender = from.isEmpty ? ReversePath.null : EmailAddress(from).map { .address($0) }
        guard let sender else { return nil }
        return SPFSubject(
            identity: identity, client: client, hello: Array(hello.utf8), sender: sender, receiver: receiver, time: 1_700_000_000)
    }
}

func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

/// Values that a test writes down, and that must be right.
func ip(_ text: String) throws -> IPAddress { try #require(IPAddress(text), "\(text)") }
func domain(_ text: String) throws -> Domain { try #require(Domain(text), "\(text)") }
func mailbox(_ text: String) throws -> EmailAddress { try #require(EmailAddress(text), "\(text)") }
