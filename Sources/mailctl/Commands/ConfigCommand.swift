// mailctl config: is the file right, and what does it say?

import ArgumentParser
import Configuration

struct ConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "Check the configuration, or show what is in force.",
        subcommands: [Check.self, Get.self, Keys.self, Sample.self, Tree.self, Sysusers.self, Tmpfiles.self])

    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Read the file as every daemon does; show everything wrong with it.")
        @OptionGroup var options: GlobalOptions

        func run() throws {
            _ = try options.loadConfiguration()
            if options.json {
                Output.json(.object(["file": .text(options.configurationPath), "ok": .boolean(true)]))
            } else {
                Output.line("\(options.configurationPath): in order")
            }
        }
    }

    struct Get: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Print the value of a key, or of all keys.")
        @OptionGroup var options: GlobalOptions
        @Argument(help: "A key such as limits.message_size.") var key: String?

        func run() throws {
            let values = try options.loadConfiguration()
            guard let name = key else { return printAll(values) }
            guard let key = ConfigurationKey.named(name) else {
                let near = nearestName(to: name, among: ConfigurationKey.all.map(\.name))
                throw Failure(
                    .usage, "there is no key \(name)",
                    remedy: near.map { "did you mean \($0)?" } ?? "`mailctl config get` lists all keys")
            }
            let value = key.value(in: values)
            if options.json { Output.json(JSONValue(value)) } else { Output.line(value.plain) }
        }

        private func printAll(_ values: Configuration) {
            if options.json {
                let members = ConfigurationKey.all.map { JSONValue.Member(name: $0.name, value: JSONValue($0.value(in: values))) }
                return Output.json(.object(members))
            }
            for key in ConfigurationKey.all { Output.line("\(key.name) = \(key.value(in: values))") }
        }
    }

    struct Keys: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Print every key, its type, limits, default, and what it takes for a change to hold.")
        @OptionGroup var options: GlobalOptions

        func run() {
            if options.json { return Output.json(.array(ConfigurationKey.all.map(\.json))) }
            Output.table(["key", "reload", "default"], ConfigurationKey.all.map { [$0.name, $0.reload.words.how, $0.defaultValue.description] })
        }
    }

    struct Sample: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Print a file in which every key is explained.")
        @OptionGroup var options: GlobalOptions
        @Flag(help: "With the values of a tree for development.") var dev = false

        func run() {
            let values = dev ? ConfigurationSample.development(basePort: ConfigurationSample.developmentBasePort) : nil
            writeText(ConfigurationSample.text(values ?? [:], purpose: dev ? ConfigurationSample.developmentPurpose : ""))
        }

        private func writeText(_ text: String) { Output.line(String(text.dropLast())) }
    }

    struct Tree: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Print every folder and kind of file: owner, group, mode, writers, readers, purpose.")
        @OptionGroup var options: GlobalOptions

        func run() {
            if options.json { Output.json(.array(SpoolTree.rows.map(\.json))) } else { Output.line(String(SpoolTree.page.dropLast())) }
        }
    }

    struct Sysusers: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Print the users and groups for sysusers.d.", shouldDisplay: false)
        @OptionGroup var options: GlobalOptions
        func run() { Output.line(String(SystemFiles.sysusers.dropLast())) }
    }

    struct Tmpfiles: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Print the folders for tmpfiles.d.", shouldDisplay: false)
        @OptionGroup var options: GlobalOptions
        func run() { Output.line(String(SystemFiles.tmpfiles.dropLast())) }
    }
}

extension ConfigurationKey {
    fileprivate var json: JSONValue {
        .object([
            "key": .text(name), "kind": .text(kind), "limit": .optional(limit), "default": JSONValue(defaultValue), "documentation": .text(documentation),
            "reload": .text(reload.words.how), "services": .array(reload.words.services.map { .text($0.rawValue) }), "why": .optional(reload.words.why),
        ])
    }
}

extension ConfigurationKey.Reload {
    fileprivate var words: (how: String, services: [Service], why: String?) {
        switch self {
        case .live: ("live", [], nil)
        case .restart(let services, let why): ("restart", services, why)
        case .unread: ("unread", [], nil)
        }
    }
}

extension JSONValue {
    init(_ literal: ConfigurationLiteral) {
        switch literal {
        case .boolean(let value): self = .boolean(value)
        case .integer(let value): self = .number(value)
        case .text(let value): self = .text(value)
        case .list(let values): self = .array(values.map { JSONValue($0) })
        case .unusable: self = .null
        }
    }
}
