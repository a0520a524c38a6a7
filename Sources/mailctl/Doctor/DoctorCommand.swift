// mailctl doctor: what is wrong with this installation, and what mends it.

import ArgumentParser
import Configuration
import Kernel

struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Examine the installation: each finding with its cause and what mends it.",
        discussion: """
            Exit status: 0 without problems, whatever the warnings; 65 with one. DNS is asked for names of the configured domains \
            and for the addresses of this machine, in block lists too; --offline leaves all of it out. The round trip makes an account, sends it \
            a message by SMTP, reads it by POP3 and IMAP, and removes both.
            """)
    @OptionGroup var options: GlobalOptions
    @Flag(help: "Ask nothing of DNS.") var offline = false
    @Flag(inversion: .prefixedNo, help: "Send a message through the services and read it back.") var roundTrip = true
    @Option(help: ArgumentHelp("An address by which others reach this machine; repeats. Default: the public ones of its interfaces.", valueName: "ip"))
    var address: [String] = []
    @Option(help: ArgumentHelp("A DNS block list to ask instead of the usual ones; repeats.", valueName: "zone"))
    var blockList: [String] = []

    func run() throws {
        let configuration = try options.loadConfiguration()
        let patient = try Patient(configuration, options, addresses: try PublicAddress.given(address))
        var findings = LocalChecks.all(patient)
        findings += offline ? [.unknown("dns", "not asked: --offline")] : NetworkChecks.all(patient, blockLists: blockList)
        findings += roundTrip ? RoundTrip.all(patient) : [.unknown("round trip", "not tried: --no-round-trip")]
        report(findings)
        if findings.contains(where: { $0.result == .problem }) { Identity.exit(ExitStatus.data.rawValue) }
    }

    private func report(_ findings: [Finding]) {
        if options.json { return Output.json(.array(findings.map(\.json))) }
        for finding in findings { for line in finding.lines { Output.line(line) } }
        let count = { (result: Finding.Result) in findings.count { $0.result == result } }
        Output.line("")
        Output.line("\(count(.problem)) problems, \(count(.warning)) warnings, \(count(.unknown)) unknown, \(count(.ok)) in order")
    }
}

/// What is examined, read once.
struct Patient {
    let configuration: Configuration
    let options: GlobalOptions
    let status: SupervisorStatus
    /// Four or sixteen bytes each.
    let addresses: [[UInt8]]
    let now = WallTime.now()

    init(_ configuration: Configuration, _ options: GlobalOptions, addresses: [[UInt8]]) throws(Failure) {
        self.configuration = configuration
        self.options = options
        self.addresses = addresses.isEmpty ? PublicAddress.own() : addresses
        status = try SupervisorStatus.read(configuration, file: options.configurationFile)
    }

    /// A command of ours for this tree, to be copied.
    func mailctl(_ words: String) -> String { options.command(words) }

    func isRunning(_ service: Service) -> Bool { pid(of: service) != nil }

    /// Its process, whoever started it.
    func pid(of service: Service) -> Int32? {
        status.services.first { $0.service == service }?.pid
    }
}

extension GlobalOptions {
    func command(_ words: String) -> String {
        "mailctl " + (root.map { "--root \($0) " } ?? "") + (config.map { "--config \($0) " } ?? "") + words
    }
}
