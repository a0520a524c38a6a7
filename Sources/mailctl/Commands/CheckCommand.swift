// mailctl check: is everything on the disk as it was made?

import ArgumentParser
import Configuration
import Kernel

struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Compare owners, groups and modes on the disk with the table in spool/README.md.",
        discussion: """
            Exit status: 0 if all is as the table says, or was mended; 65 if not. No link is followed. Of each mailbox the first \
            messages are looked at.
            """)
    @OptionGroup var options: GlobalOptions
    @Flag(help: "Owners, groups and modes; the only check there is, and meant without it too.") var permissions = false
    @Flag(help: "Put right what differs; make the folders that are missing.") var fix = false

    func run() throws {
        let configuration = try options.loadConfiguration()
        let ownership = Ownership(configuration, asRoot: Identity.isRoot || CheckCommand.belongsToRoot(configuration.paths.spool))
        let places = TreePlaces(configuration.paths, file: options.configurationFile)
        var report = try PermissionCheck(places, ownership, mends: fix).run()
        report.unknown += CheckCommand.otherPlaces(configuration.tls, places)
        if options.json { Output.json(report.json) } else { for line in report.lines { Output.line(line) } }
        if let status = report.status { Identity.exit(status.rawValue) }
    }

    /// Whether it is a system installation, looked at by somebody who is not root.
    private static func belongsToRoot(_ spool: Path) -> Bool {
        guard let status = try? DirectoryDescriptor(passing: spool).status() else { return false }
        return status.owner == 0
    }

    /// A certificate that lies elsewhere is not in the table, and a further one never.
    private static func otherPlaces(_ tls: Configuration.TLS, _ places: TreePlaces) -> [String] {
        let usual = places[.configuration] / "tls"
        let elsewhere = [(tls.key, "key.pem" as Path), (tls.certificate, "certificate.pem")].filter { $0.0 != usual / $0.1 }.map(\.0)
        return (elsewhere + tls.certificates.flatMap { [$0.key, $0.chain] }).map { "who may read \($0): it is in no table of ours" }
    }
}
