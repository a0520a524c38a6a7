// What is wrong with the file, where, and what to do: a person reads it at three in the morning.

package import Kernel

/// One fault of a configuration file.
package struct ConfigurationProblem: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        /// The file cannot be read: what the kernel said.
        case unreadable(KernelError)
        case syntax, unknownKey, wrongType, badValue, contradiction
    }

    package let kind: Kind
    /// The file as it was named to us.
    package let file: String
    /// Counted from 1; nil where the fault has no line.
    package let line: Int?
    /// `limits.message_size`, or nil.
    package let key: String?
    /// What is wrong.
    package let what: String
    /// What to do about it.
    package let remedy: String
}

extension ConfigurationProblem: CustomStringConvertible {
    /// `etc/martlet.toml:17: limits.message_size: …` and below it, indented, what to do.
    package var description: String {
        if case .unreadable = kind { return what + "\n  " + remedy }
        let place = file + (line.map { ":\($0)" } ?? "")
        return [place, key, what].compactMap(\.self).joined(separator: ": ") + "\n  " + remedy
    }
}

/// Every fault of a file, in the order of lines: one run of `config check` shows them all.
package struct ConfigurationError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Never empty.
    package let problems: [ConfigurationProblem]

    package var description: String { problems.map(\.description).joined(separator: "\n") }

    /// Whether the file could not be read at all, as opposed to saying something wrong.
    package var unreadable: KernelError? {
        for case .unreadable(let error) in problems.map(\.kind) { return error }
        return nil
    }
}
