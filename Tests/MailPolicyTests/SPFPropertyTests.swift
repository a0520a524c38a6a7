// Whatever is published and whatever DNS answers: a check ends within its bounds, and repeats itself.

import MailModel
import MailTestKit
import Testing

@testable import MailPolicy

@Suite struct SPFPropertyTests {
    private static let pieces = [
        "a", "mx", "ptr", "all", "-all", "~all", "?all", "include:", "exists:", "redirect=", "exp=", "ip4:192.0.2.1", "ip6:2001:db8::/32", ":", "/24",
        "//64", "/", "=", "moo=", "example.com", "b.example.com",
        "c.example.com", "%{d}", "%{p}", "%{s}", "%{l1r-}", "%{ir}", "%{v}", "%{h}", "%{D2}", "%", "%%", "%{", "}", ".", "-", "+", "x", "é", "\u{0}",
        "%{c}",
    ]

    private static func record(_ random: inout SeededGenerator) -> [UInt8] {
        var text = bytes("v=spf1")
        for _ in 0..<Int.random(in: 0...12, using: &random) {
            text.append(0x20)
            for _ in 0..<Int.random(in: 1...4, using: &random) { text += bytes(pieces.randomElement(using: &random) ?? "") }
        }
        return text
    }

    /// Terms that are well formed, so that the evaluation is met and not the parser alone.
    private static func goodRecord(_ random: inout SeededGenerator) -> [UInt8] {
        let domains = [
            "example.com", "b.example.com", "c.example.com", "%{d}", "%{p}.example.com", "%{l}.example.com", "%{ir}.%{v}.example.com", "%{h}",
        ]
        var text = bytes("v=spf1")
        for _ in 0..<Int.random(in: 0...6, using: &random) {
            let domain = domains.randomElement(using: &random) ?? ""
            let term =
                [
                    "a:\(domain)", "mx:\(domain)/24//64", "ptr:\(domain)", "include:\(domain)", "exists:\(domain)", "a", "mx", "ptr",
                    "ip4:192.0.2.0/28", "ip6:2001:db8::/32",
                ].randomElement(using: &random) ?? ""
            text += bytes(" " + (["", "-", "~", "?"].randomElement(using: &random) ?? "") + term)
        }
        if Bool.random(using: &random) { text += bytes(" redirect=\(domains.randomElement(using: &random) ?? "")") }
        if Bool.random(using: &random) { text += bytes(" exp=\(domains.randomElement(using: &random) ?? "")") }
        if Bool.random(using: &random) { text += bytes(" -all") }
        return text
    }

    private static func finding(_ question: DNSQuestion, _ random: inout SeededGenerator) -> DNSFinding {
        switch Int.random(in: 0..<12, using: &random) {
        case 0: return .unavailable
        case 1: return .noData
        case 2: return .noSuchName
        case 3: return .found([])
        default: break
        }
        let hosts = ["example.com", "b.example.com", "h.example.org", "", "x", "a..b", String(repeating: "y", count: 80) + ".org"]
        let count = Int.random(in: 1...12, using: &random)
        var data: [DNSDatum] = []
        for _ in 0..<count {
            // Now and then a record that nobody asked for.
            let type =
                Int.random(in: 0..<20, using: &random) == 0 ? DNSQuestion.RecordType.allCases.randomElement(using: &random) ?? .a : question.type
            let host = bytes(hosts.randomElement(using: &random) ?? "")
            switch type {
            case .a: data.append(.address(.four(192, 0, 2, UInt8.random(in: 0...255, using: &random))))
            case .aaaa: data.append(.address(IPAddress(family: .six, high: 0x2001_0DB8_0000_0000, low: UInt64.random(in: 0...9, using: &random))))
            case .mx: data.append(.exchanger(preference: UInt16.random(in: 0...3, using: &random), host: host))
            case .ptr: data.append(.pointer(host))
            case .txt:
                if data.isEmpty || Int.random(in: 0..<6, using: &random) == 0 {
                    data.append(.text(Bool.random(using: &random) ? goodRecord(&random) : record(&random)))
                }
            }
        }
        return .found(data)
    }

    private static func subject(_ random: inout SeededGenerator) throws -> SPFSubject {
        var check = Check(testDescription: "", result: .none)
        check.client = ["192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1"].randomElement(using: &random) ?? ""
        check.from =
            ["alice@example.com", "a-b.c+d@example.com", "", "\"%{d} \\\" \"@b.example.com", "ü@example.com"].randomElement(using: &random) ?? ""
        check.hello = ["mail.example.com", "x", "[192.0.2.1]", "%{d}.example.com", ""].randomElement(using: &random) ?? ""
        check.identity = Bool.random(using: &random) ? .helo : .mailFrom
        return try #require(check.subject)
    }

    @Test func everyCheckEndsWithinItsBounds() throws {
        var random = SeededGenerator()
        var results: Set<SPFResult> = []
        for _ in 0..<2500 {
            var evaluation = SPFEvaluation(try SPFPropertyTests.subject(&random))
            var questions = 0
            while let question = evaluation.question {
                questions += 1
                try #require(questions <= 1 + 10 * 11 + 11 + 1 && evaluation.frames.count <= 11)
                evaluation.answered(SPFPropertyTests.finding(question, &random))
            }
            let outcome = try #require(evaluation.outcome)
            #expect(evaluation.terms <= 10)
            #expect(outcome.result == .fail || outcome.explanation == nil)
            #expect(outcome.explanation?.allSatisfy { $0 >= 0x20 && $0 < 0x7F } ?? true)
            results.insert(outcome.result)
            #expect(ReceivedSPFTests.isOneField(outcome.receivedSPF))
        }
        #expect(results == Set(SPFResult.allCases), "the records reach every result")
    }

    @Test func recordsOfAnyBytesAreReadOrRefused() {
        var random = SeededGenerator()
        for _ in 0..<10_000 {
            let text =
                Bool.random(using: &random)
                ? SPFPropertyTests.record(&random)
                : bytes("v=spf1 ") + random.bytes(Int.random(in: 0...40, using: &random), from: bytes("amxlip46:/.%{}d=- \u{0}é1"))
            guard let record = try? SPFRecord(parsing: text, limit: 8192) else { continue }
            for directive in record.directives { #expect(directive.text.allSatisfy { $0 > 0x20 && $0 < 0x7F }) }
        }
    }
}
