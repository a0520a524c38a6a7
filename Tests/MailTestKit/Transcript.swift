// A golden dialogue: one claim a file, the file name is the claim, the lines are what client and server say.
// Tests/Transcripts/README.md documents the format for whoever writes one.

/// One parsed transcript file.
package struct Transcript: Sendable {
    /// A `with:` line: a key and its words. The world that runs the transcript knows what they mean.
    package struct Setting: Sendable, Equatable {
        package let key: String
        package let words: [String]

        package init(key: String, words: [String]) {
            self.key = key
            self.words = words
        }
    }

    /// A `then:` line: what holds when the dialogue is over.
    package struct Expectation: Sendable, Equatable {
        package let key: String
        /// What follows the key, as written; `Transcript.unescape` reads bytes in it.
        package let rest: String
        package let line: Int
        package var words: [String] { rest.split(separator: " ").map(String.init) }
    }

    /// What the network or the clock does to a connection, apart from bytes.
    package enum Event: String, Sendable, CaseIterable {
        /// The client starts its TLS handshake, and it succeeds.
        case tls = "TLS"
        /// The client closes its sending side.
        case endOfFile = "EOF"
        /// The time that the server allows for this step is over.
        case deadline = "DEADLINE"
        /// The server is told to stop.
        case shutdown = "SHUTDOWN"
    }

    package enum Action: Sendable {
        case send([UInt8])
        case expect(LinePattern)
        case event(Event)
    }

    package struct Step: Sendable {
        /// 1 unless the line begins with another digit (`2C:`).
        package let connection: Int
        package let action: Action
        package let line: Int
    }

    /// The file name without `.txt`: the claim.
    package let name: String
    package let settings: [Setting]
    package let steps: [Step]
    package let expectations: [Expectation]

    /// Whether only the in-memory runner can play it: `with: memory only`, a deadline or a shutdown.
    package var isMemoryOnly: Bool {
        settings.contains { $0.key == "memory" }
            || steps.contains {
                if case .event(let event) = $0.action { return event == .deadline || event == .shutdown }
                return false
            }
    }
}

extension Transcript: CustomStringConvertible {
    package var description: String { name }
}

/// A line of a transcript file that means nothing, or a run that went otherwise.
package struct TranscriptFailure: Error, CustomStringConvertible, Equatable {
    package let description: String
    package init(_ name: String, line: Int, _ reason: String) { description = "\(name).txt:\(line): \(reason)" }
}

/// What one line from the server must be, without its CRLF.
package enum LinePattern: Sendable, Equatable {
    case exact([UInt8])
    /// `S: 250 2.1.0 …`: anything after the prefix.
    case prefix([UInt8])
    /// `S~ * at *`: each `*` stands for any run of bytes.
    case glob([UInt8])

    package func matches(_ line: some Collection<UInt8>) -> Bool {
        switch self {
        case .exact(let text): line.elementsEqual(text)
        case .prefix(let text): line.starts(with: text)
        case .glob(let pattern): LinePattern.glob(pattern, matches: Array(line))
        }
    }

    /// Iterative, and at worst the product of both lengths: only the last star is ever tried again.
    private static func glob(_ pattern: [UInt8], matches text: [UInt8]) -> Bool {
        var p = 0
        var t = 0
        var star: (pattern: Int, text: Int)?
        while t < text.count {
            if p < pattern.count, pattern[p] == UInt8(ascii: "*") {
                star = (p, t)
                p += 1
            } else if p < pattern.count, pattern[p] == text[t] {
                p += 1
                t += 1
            } else if let last = star {
                star = (last.pattern, last.text + 1)
                p = last.pattern + 1
                t = last.text + 1
            } else {
                return false
            }
        }
        return pattern[p...].allSatisfy { $0 == UInt8(ascii: "*") }
    }
}
