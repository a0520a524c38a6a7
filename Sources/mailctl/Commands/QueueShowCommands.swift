// mailctl queue show, queue cat: one message, its history and its bytes.

import ArgumentParser
import Configuration
import Kernel
import MailModel
import Spool

struct QueueShow: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "show", abstract: "Show a message that is not done: envelope, copies, and each attempt.")
    @OptionGroup var options: GlobalOptions
    @Argument(help: "The id, as `queue list` shows it.") var id: String

    func run() throws {
        let configuration = try options.loadConfiguration()
        let id = try QueueSelection.id(id)
        let now = WallTime.now()
        guard let message = try QueueView.read(configuration).messages[id] else {
            throw Failure(.noInput, "\(id) is not in the queue", remedy: "`mailctl trace \(id)` tells what became of it")
        }
        let history = try MessageHistory.read(id, configuration, family: false)
        if options.json { return Output.json(.object(["message": message.json(now), "events": .array(history.facts.map(\.json))])) }
        message.lines(now).forEach(Output.line)
        Output.line("")
        history.show(of: id)
    }
}

struct QueueCat: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cat", abstract: "Print the content of a message, byte by byte, once it has been compared with its checksum.")
    @OptionGroup var options: GlobalOptions
    @Argument(help: "The id, as `queue list` shows it.") var id: String

    func run() throws {
        let configuration = try options.loadConfiguration()
        let id = try QueueSelection.id(id)
        let content = try QueueContent(of: [id], configuration)
        try content.check(id)
        if options.json {
            var bytes: [UInt8] = []
            try content.write(id) { bytes += $0 }
            return Output.json(.object(["id": .text(id.text), "content": .text(bytes)]))
        }
        let output = Descriptor(adopting: 1, name: "stdout")
        try content.write(id) { part throws(KernelError) in try output.write(part) }
    }
}

/// The content of messages in the mail logs, for who may read mail: root, or the owner of the tree.
struct QueueContent {
    private let content: AcceptedContent

    /// Who is a member of a service's group may read its logs, and is no reader of mail.
    init(of ids: Set<QueueID>, _ configuration: Configuration) throws(Failure) {
        content = try attempting { () throws(KernelError) in
            let spool = try DirectoryDescriptor(opening: configuration.paths.spool)
            let owner = try spool.status().owner
            guard Identity.isRoot || owner == Identity.userID else {
                throw KernelError(.open, code: 13, object: Array("the content of mail".utf8))
            }
            return try AcceptedContent(of: ids, in: spool)
        }
    }

    /// Throws unless the whole content is there and is what was accepted.
    func check(_ id: QueueID) throws(Failure) {
        guard content.accepts[id] != nil else {
            throw Failure(.noInput, "no mail log has \(id) any more", remedy: "what is done is erased; `mailctl trace \(id)` tells where it went")
        }
        guard try attempting({ () throws(KernelError) in try content.isWhole(id) }) else {
            throw Failure(.inputOutput, "the content of \(id) is not what was accepted", remedy: "it is damaged or unreadable: see the `corrupt` events, and the disk")
        }
    }

    func accept(_ id: QueueID) -> AcceptedContent.Accept? { content.accepts[id] }

    /// After `check`.
    func write(_ id: QueueID, _ body: ([UInt8]) throws(KernelError) -> Void) throws(Failure) {
        _ = try attempting { () throws(KernelError) in try content.forEachPart(of: id, body) }
    }
}
