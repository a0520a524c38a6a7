// What an examination found: each thing with its cause, and with the exact command or record that mends it.

/// One finding.
struct Finding: Hashable, Sendable {
    enum Result: String, Sendable {
        case ok, warning, problem
        /// It could not be found out, which says nothing against anybody.
        case unknown
    }

    /// The examination that found it, as its name stands in `--json`.
    let check: String
    let result: Result
    /// What it is about: a service, a path, a domain; empty for the whole.
    let subject: String
    let cause: String
    /// A command or a record; empty where nothing is to be done.
    let remedy: String

    static func ok(_ check: String, of subject: String = "", _ cause: String) -> Finding {
        Finding(check: check, result: .ok, subject: subject, cause: cause, remedy: "")
    }

    static func warning(_ check: String, of subject: String = "", _ cause: String, remedy: String) -> Finding {
        Finding(check: check, result: .warning, subject: subject, cause: cause, remedy: remedy)
    }

    static func problem(_ check: String, of subject: String = "", _ cause: String, remedy: String) -> Finding {
        Finding(check: check, result: .problem, subject: subject, cause: cause, remedy: remedy)
    }

    static func unknown(_ check: String, of subject: String = "", _ cause: String, remedy: String = "") -> Finding {
        Finding(check: check, result: .unknown, subject: subject, cause: cause, remedy: remedy)
    }
}

extension Finding {
    var json: JSONValue {
        .object([
            "check": .text(check), "result": .text(result.rawValue), "subject": .text(subject), "cause": .text(cause), "remedy": .text(remedy),
        ])
    }

    /// For people: the finding on one line, what mends it below.
    var lines: [String] {
        let name = check + String(repeating: " ", count: max(0, Finding.widest - check.count))
        let about = subject.isEmpty ? "" : "\(subject): "
        return ["  \(result.mark) \(name)  \(about)\(cause)"] + remedy.split(separator: "\n").map { "      \($0)" }
    }

    /// The longest name of a check.
    private static let widest = "certificate".count
}

extension Finding.Result {
    fileprivate var mark: String {
        switch self {
        case .ok: "✓"
        case .warning: "!"
        case .problem: "✗"
        case .unknown: "?"
        }
    }
}
