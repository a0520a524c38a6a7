// Command lines: framing with three outcomes, parsing by table, and print∘parse.

import MailTestKit
import Testing

@testable import POP3Protocol

@Suite struct CommandReaderTests {
    static func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

    @Test(arguments: [
        ("NOOP\r\n", CommandReader.Result.line(bytes("NOOP"))),
        ("\r\n", .line([])),
        ("", .incomplete),
        ("NOOP", .incomplete),
        ("NOOP\r", .incomplete),
        ("NOOP\n", .invalid(.strayByte)),
        ("\n", .invalid(.strayByte)),
        ("NO\rOP\r\n", .invalid(.strayByte)),
        ("NOOP\r\r\n", .invalid(.strayByte)),
        ("NO\0P\r\n", .invalid(.strayByte)),
        ("12345678\r\n", .line(bytes("12345678"))),
        ("123456789\r\n", .invalid(.tooLong)),
        ("1234567890", .invalid(.tooLong)),
        ("123456789", .incomplete),
    ])
    func lineHasThreeOutcomes(_ text: String, _ expected: CommandReader.Result) {
        var reader = CommandReader(Self.bytes(text))
        #expect(reader.next(limit: 10) == expected)
    }

    @Test func choppingChangesNoLine() {
        var generator = SeededGenerator()
        for round in 0..<50 {
            let input = generator.bytes(60, from: Self.bytes("ab\r\n\r\n\0"))
            let difference = Chop.difference(input, seed: UInt64(round)) { pieces in
                var reader = CommandReader()
                var results: [CommandReader.Result] = []
                for piece in pieces {
                    reader.append(piece)
                    while results.last.map(CommandReaderTests.goesOn) ?? true {
                        let result = reader.next(limit: 16)
                        if result == .incomplete { break }
                        results.append(result)
                    }
                }
                return results
            }
            #expect(difference == nil)
        }
    }

    static func goesOn(_ result: CommandReader.Result) -> Bool {
        if case .invalid = result { return false }
        return true
    }

    @Test func restIsWhatWasNotRead() {
        var reader = CommandReader(Self.bytes("A\r\nB\r\nC"))
        #expect(reader.next(limit: 10) == .line(Self.bytes("A")))
        #expect(reader.takeRest() == Self.bytes("B\r\nC"))
        #expect(reader.count == 0)
        #expect(reader.next(limit: 10) == .incomplete)
    }
}

@Suite struct CommandTests {
    static func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

    @Test(arguments: [
        ("USER alice", Result<Command, Command.Fault>.success(.user(bytes("alice")))),
        ("user a b", .success(.user(bytes("a b")))),
        ("PASS  x ", .success(.pass(bytes(" x ")))),
        ("AUTH", .success(.authList)),
        ("AUTH PLAIN", .success(.auth(mechanism: bytes("PLAIN"), initial: nil))),
        ("AUTH PLAIN =", .success(.auth(mechanism: bytes("PLAIN"), initial: []))),
        ("AUTH PLAIN eA==", .success(.auth(mechanism: bytes("PLAIN"), initial: bytes("eA==")))),
        ("LIST", .success(.list(nil))),
        ("LIST ", .success(.list(nil))),
        ("list 7", .success(.list(7))),
        ("UIDL 007", .success(.uidl(7))),
        ("RETR  3 ", .success(.retr(3))),
        ("TOP 1 0", .success(.top(1, lines: 0))),
        ("QUIT ", .success(.quit)),
        ("USER", .failure(.badArguments)),
        ("PASS ", .failure(.badArguments)),
        ("AUTH PLAIN a b", .failure(.badArguments)),
        ("LIST x", .failure(.badArguments)),
        ("LIST 1 2", .failure(.badArguments)),
        ("RETR -1", .failure(.badArguments)),
        ("RETR 1234567890123456789", .failure(.badArguments)),
        ("TOP 1", .failure(.badArguments)),
        ("STAT now", .failure(.badArguments)),
        ("", .failure(.unknown)),
        (" STAT", .failure(.unknown)),
        ("STATE", .failure(.unknown)),
        ("GET /", .failure(.foreign)),
        ("Host: x", .failure(.foreign)),
    ])
    func lineIsRead(_ line: String, _ expected: Result<Command, Command.Fault>) {
        #expect(Command.parse(Self.bytes(line)) == expected)
    }

    @Test func printedCommandsReadBack() {
        var generator = SeededGenerator()
        for _ in 0..<2000 {
            let command = Self.random(&generator)
            #expect(Command.parse(command.wire) == .success(command))
        }
    }

    static func random(_ generator: inout SeededGenerator) -> Command {
        let number = Int.random(in: 0...999_999_999, using: &generator)
        let text = generator.bytes(Int.random(in: 1...20, using: &generator), from: Array(0x21...0x7E))
        let commands: [Command] = [
            .user(text + [0x20] + text), .pass(text), .auth(mechanism: text, initial: nil), .auth(mechanism: text, initial: []),
            .auth(mechanism: text, initial: text == [0x3D] ? [] : text), .authList, .stls, .capa, .quit, .stat, .list(nil),
            .list(number), .uidl(nil), .uidl(number), .retr(number), .dele(number), .top(number, lines: number), .rset, .noop,
        ]
        return commands.randomElement(using: &generator) ?? .noop
    }

    @Test func anyBytesAreAnswered() {
        var generator = SeededGenerator()
        for _ in 0..<3000 {
            let line = generator.bytes(Int.random(in: 0...24, using: &generator), from: Array("TOPLISREUDA 019:=\u{ff}".utf8))
            if case .success(let command) = Command.parse(line) {
                #expect(Command.parse(command.wire) == .success(command))
            }
        }
    }
}
