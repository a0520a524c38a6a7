// How much a program says on stderr. The event log is not concerned: it has every fact at any level.

import Kernel
import MailModel
import SpoolFormat
import Synchronization

/// What goes to stderr.
package enum LogLevel: Int, Sendable, CaseIterable {
    /// What the operator should know: `problem` and `corrupt`, `start` and `stop`.
    case problems
    /// Every fact.
    case events
    /// And how it came to them: commits, replies, dialogues with other hosts. Never content or a password.
    case debug

    package init?(name: String) {
        guard let level = LogLevel.allCases.first(where: { $0.name == name }) else { return nil }
        self = level
    }

    package var name: String {
        switch self {
        case .problems: "problems"
        case .events: "events"
        case .debug: "debug"
        }
    }
}

extension LogLevel {
    /// Lines `service level`, as mailctl publishes them; who is not named says every fact.
    package static func text(_ levels: [(service: String, level: LogLevel)]) -> String { levels.map { "\($0.service) \($0.level.name)\n" }.joined() }

    package static func levels(in text: [UInt8]) -> [String: LogLevel] {
        var found: [String: LogLevel] = [:]
        for line in text.split(separator: 0x0A) {
            let words = line.split(separator: 0x20).map(\.display)
            if words.count == 2, let level = LogLevel(name: words[1]) { found[words[0]] = level }
        }
        return found
    }
}

/// The level of this process.
package enum Verbosity {
    private static let current = Atomic<Int>(LogLevel.events.rawValue)

    package static var level: LogLevel {
        get { LogLevel(rawValue: current.load(ordering: .relaxed)) ?? .events }
        set { current.store(newValue.rawValue, ordering: .relaxed) }
    }

    static func echoes(_ verb: Verb) -> Bool {
        level != .problems || [.problem, .corrupt, .start, .stop].contains(verb)
    }

    /// A line for whoever asked for it; control characters of a peer do not reach the terminal.
    package static func debug(_ program: String, _ text: @autoclosure () -> [UInt8]) {
        guard level == .debug else { return }
        let clean = text().map { $0 < 0x20 || $0 == 0x7F ? 0x20 : $0 }
        writeToStandardError(Array("\(program): debug - ".utf8) + clean + [0x0A])
    }
}
