// The commands of POP3 as values. Invariant: parsing what `wire` printed gives the same command.

internal import MailModel

/// A command line, read (RFC 1939 §5 to §7, RFC 2449 §5, RFC 2595 §4, RFC 5034 §4).
package enum Command: Hashable, Sendable {
    case user([UInt8])
    case pass([UInt8])
    /// `initial` is nil if absent and empty for `=`; it is decoded by the session, since decoding can fail.
    case auth(mechanism: [UInt8], initial: [UInt8]?)
    /// `AUTH` alone: some clients ask for the list of mechanisms this way.
    case authList
    case stls
    case capa
    case quit
    case stat
    /// Numbers are as sent: 1 is the first message.
    case list(Int?)
    case uidl(Int?)
    case retr(Int)
    case dele(Int)
    case top(Int, lines: Int)
    case rset
    case noop

    /// Why a line is no command.
    package enum Fault: Error, Hashable, Sendable {
        case unknown
        case badArguments
        /// A line of another protocol, such as HTTP: a browser was made to speak to us (V14).
        case foreign
    }

    package static func parse(_ line: [UInt8]) -> Result<Command, Fault> {
        let verb = line.prefix { $0 != 0x20 }
        let rest = line.dropFirst(verb.count + 1)
        guard let name = Verb(name: verb) else { return .failure(isForeign(verb) ? .foreign : .unknown) }
        return command(name, rest).map { .success($0) } ?? .failure(.badArguments)
    }

    private static func command(_ verb: Verb, _ rest: ArraySlice<UInt8>) -> Command? {
        switch verb {
        // Names and passwords may hold blanks, so all of the line belongs to them (RFC 1939 §7).
        case .user: return rest.isEmpty ? nil : .user(Array(rest))
        case .pass: return rest.isEmpty ? nil : .pass(Array(rest))
        case .auth: return auth(rest)
        case .list: return optionalNumber(rest).map { .list($0) }
        case .uidl: return optionalNumber(rest).map { .uidl($0) }
        case .retr: return number(rest).map { .retr($0) }
        case .dele: return number(rest).map { .dele($0) }
        case .top: return top(rest)
        case .stls, .capa, .quit, .stat, .rset, .noop: return words(rest).isEmpty ? bare(verb) : nil
        }
    }

    private static func bare(_ verb: Verb) -> Command? {
        switch verb {
        case .stls: .stls
        case .capa: .capa
        case .quit: .quit
        case .stat: .stat
        case .rset: .rset
        case .noop: .noop
        case .user, .pass, .auth, .list, .uidl, .retr, .dele, .top: nil
        }
    }

    private static func words(_ rest: ArraySlice<UInt8>) -> [ArraySlice<UInt8>] { rest.split(separator: 0x20) }

    private static func number(_ rest: ArraySlice<UInt8>) -> Int? {
        let words = words(rest)
        return words.count == 1 ? words[0].decimalValue : nil
    }

    /// `.some(nil)` is a command without a number, nil a wrong one.
    private static func optionalNumber(_ rest: ArraySlice<UInt8>) -> Int?? {
        if words(rest).isEmpty { return .some(nil) }
        return number(rest).map { .some($0) }
    }

    private static func top(_ rest: ArraySlice<UInt8>) -> Command? {
        let words = words(rest)
        guard words.count == 2, let number = words[0].decimalValue, let lines = words[1].decimalValue else { return nil }
        return .top(number, lines: lines)
    }

    private static func auth(_ rest: ArraySlice<UInt8>) -> Command? {
        let words = words(rest)
        switch words.count {
        case 0: return .authList
        case 1: return .auth(mechanism: Array(words[0]), initial: nil)
        case 2: return .auth(mechanism: Array(words[0]), initial: words[1] == [UInt8(ascii: "=")] ? [] : Array(words[1]))
        default: return nil
        }
    }

    /// HTTP methods and header names: whoever sends them does not mean us.
    private static func isForeign(_ verb: ArraySlice<UInt8>) -> Bool {
        if verb.contains(UInt8(ascii: ":")) { return true }
        let methods: [StaticString] = ["GET", "POST", "PUT", "HEAD", "OPTIONS", "CONNECT", "DELETE", "PATCH", "TRACE"]
        return methods.contains { verb.equalsIgnoringASCIICase($0) }
    }
}

private enum Verb: String, CaseIterable {
    case user, pass, auth, stls, capa, quit, stat, list, uidl, retr, dele, top, rset, noop

    init?(name: ArraySlice<UInt8>) {
        guard name.count <= 4, let found = Verb.allCases.first(where: { $0.rawValue.utf8.elementsEqual(name.asciiLowercased) })
        else { return nil }
        self = found
    }
}

extension Command {
    /// The line without its CRLF, as a client sends it.
    package var wire: [UInt8] {
        switch self {
        case .user(let name): Array("USER ".utf8) + name
        case .pass(let password): Array("PASS ".utf8) + password
        case .auth(let mechanism, let initial):
            Array("AUTH ".utf8) + mechanism + (initial.map { [0x20] + ($0.isEmpty ? [UInt8(ascii: "=")] : $0) } ?? [])
        case .authList: Array("AUTH".utf8)
        case .stls: Array("STLS".utf8)
        case .capa: Array("CAPA".utf8)
        case .quit: Array("QUIT".utf8)
        case .stat: Array("STAT".utf8)
        case .list(let number): Array("LIST".utf8) + (number.map { Array(" \($0)".utf8) } ?? [])
        case .uidl(let number): Array("UIDL".utf8) + (number.map { Array(" \($0)".utf8) } ?? [])
        case .retr(let number): Array("RETR \(number)".utf8)
        case .dele(let number): Array("DELE \(number)".utf8)
        case .top(let number, let lines): Array("TOP \(number) \(lines)".utf8)
        case .rset: Array("RSET".utf8)
        case .noop: Array("NOOP".utf8)
        }
    }
}
