// mailctl queue hold, release, retry, flush, delete, bounce: requests to queued about chosen messages.

import ArgumentParser
import Configuration
import Kernel
import MailModel
import SpoolFormat

/// Options of what cannot be taken back, or concerns much at once.
struct QueueConsent: ParsableArguments {
    @Flag(help: "Every message in the queue.") var all = false
    @Flag(help: "Show what would be done, and do nothing.") var dryRun = false

    /// What is chosen; nothing chosen is never everything.
    func messages(_ selection: QueueSelection, _ configuration: Configuration) throws(Failure) -> [QueueView.Message] {
        guard all != !selection.isEmpty else {
            throw Failure(.usage, all ? "--all and a choice contradict each other" : "no message is chosen", remedy: "name ids, or what is true of them, such as --domain; --all for every message")
        }
        return try selection.messages(of: try QueueView.read(configuration), now: .now())
    }
}

struct QueueHold: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "hold", abstract: "Keep messages from being handed out, until they are released.")
    @OptionGroup var options: GlobalOptions
    @OptionGroup var selection: QueueSelection
    @OptionGroup var consent: QueueConsent
    @Option(help: ArgumentHelp("Why, for the log.", valueName: "text")) var because: String?

    func run() throws {
        let configuration = try options.loadConfiguration()
        let request = QueueRequest(command: "hold", words: ("hold", "held"), reason: try QueueRequest.reason(because), options: options)
        let messages = try consent.messages(selection, configuration)
        if consent.dryRun { return request.preview(messages, try selection.criteria()) }
        try request.ask(messages, configuration)
    }
}

struct QueueRelease: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "release", abstract: "Let held messages go on.")
    @OptionGroup var options: GlobalOptions
    @OptionGroup var selection: QueueSelection
    @OptionGroup var consent: QueueConsent

    func run() throws {
        let configuration = try options.loadConfiguration()
        let request = QueueRequest(command: "release", words: ("release", "released"), options: options)
        let messages = try consent.messages(selection, configuration).filter(\.isHeld)
        if consent.dryRun { return request.preview(messages, try selection.criteria()) }
        try request.ask(messages, configuration)
    }
}

struct QueueRetry: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "retry", abstract: "Have deferred mail tried now; without a choice, all of it.")
    @OptionGroup var options: GlobalOptions
    @OptionGroup var selection: QueueSelection

    func run() throws {
        guard !selection.isEmpty else { return try QueueFlush.flush("retry", options) }
        let configuration = try options.loadConfiguration()
        let messages = try selection.messages(of: try QueueView.read(configuration), now: .now())
        try QueueRequest(command: "retry", words: ("try", "tried"), options: options).ask(messages, configuration)
    }
}

struct QueueFlush: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "flush", abstract: "Have all deferred mail tried now.")
    @OptionGroup var options: GlobalOptions

    func run() throws { try QueueFlush.flush("flush", options) }

    static func flush(_ command: String, _ options: GlobalOptions) throws(Failure) {
        let configuration = try options.loadConfiguration()
        try AdministratorLog.append([RecordLine(.request).adding(.command, command)], configuration)
        if options.json { return Output.json(.object(["requested": .boolean(true), "command": .text(command), "ids": .array([])])) }
        Output.line("asked queued to try all deferred mail now")
    }
}

struct QueueDelete: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Throw messages away; nobody is told.",
        discussion: "Needs --yes; without it, shows what would be thrown away. The log and the audit keep that it was done, by whom and why.")
    @OptionGroup var options: GlobalOptions
    @OptionGroup var selection: QueueSelection
    @OptionGroup var consent: QueueConsent
    @Flag(help: "Do it.") var yes = false
    @Option(help: ArgumentHelp("Why, for the log.", valueName: "text")) var because: String?

    func run() throws {
        let request = QueueRequest(command: "delete", words: ("delete", "deleted"), reason: try QueueRequest.reason(because), options: options)
        try request.ask(selection, consent, yes: yes)
    }
}

struct QueueBounce: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bounce", abstract: "Return messages to their senders.",
        discussion: "Needs --yes; without it, shows what would be returned. --because is told to the sender, behind status 5.7.1.")
    @OptionGroup var options: GlobalOptions
    @OptionGroup var selection: QueueSelection
    @OptionGroup var consent: QueueConsent
    @Flag(help: "Do it.") var yes = false
    @Option(help: ArgumentHelp("Why, for the sender.", valueName: "text")) var because: String?

    func run() throws {
        let request = QueueRequest(command: "bounce", words: ("return", "returned"), reason: try QueueRequest.reason(because), options: options)
        try request.ask(selection, consent, yes: yes)
    }
}

extension QueueRequest {
    /// Asks for what cannot be taken back: without a yes it is only shown.
    fileprivate func ask(_ selection: QueueSelection, _ consent: QueueConsent, yes: Bool) throws(Failure) {
        let configuration = try options.loadConfiguration()
        let messages = try consent.messages(selection, configuration)
        guard yes, !consent.dryRun else {
            preview(messages, try selection.criteria())
            if consent.dryRun || messages.isEmpty { return }
            throw Failure(.usage, "nothing was done: what is \(words.done) does not come back", remedy: "add --yes if this is meant, or --dry-run to see it only")
        }
        try ask(messages, configuration)
    }
}
