// mailctl directory: the database itself.

import ArgumentParser
import DirectoryDatabase

struct DirectoryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "directory", abstract: "The directory database and what daemons see of it.", subcommands: [DirectoryPublish.self])
}

struct DirectoryPublish: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "publish", abstract: "Write the daemons' snapshots anew; each change does it by itself.")
    @OptionGroup var options: GlobalOptions

    func run() throws {
        try options.withDirectory { (writer) throws(DirectoryError) in try writer.publish() }
        options.report("published", .object(["published": .boolean(true)]))
    }
}
