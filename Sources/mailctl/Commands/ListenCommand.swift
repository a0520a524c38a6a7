// mailctl listen: for supervisors that bind no sockets (runit, s6). Binds as root what a service listens on, becomes its user and groups, and
// then the service itself.

import ArgumentParser
import Configuration
import Kernel

struct ListenCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "listen", abstract: "Bind the ports of a service, become its user, and become the service: for runit, s6 and their kin.",
        discussion: """
            It waits until `mailctl tree hold` has begun a life of the tree. The sockets are closed when the service ends, so \
            clients are refused until it has started again; under systemd and `mailctl run` they wait.
            """)
    @OptionGroup var options: GlobalOptions
    @Argument(help: "The service.") var service: Service
    @Argument(parsing: .postTerminator, help: "Another program than the service's own, by its full path, and its arguments.") var program: [String] = []

    /// Seconds; the supervisor starts us again.
    private static let patience = 60

    func run() throws {
        let path = options.configurationFile
        let configuration = try options.loadConfiguration()
        let programs = SupervisorPrograms(configurationPath: path)
        let identity = try SupervisorPrograms.identity(of: service, prefix: configuration.users.prefix)
        try waitForTree(configuration)
        var listeners = SupervisorListeners()
        try listeners.update(to: configuration.listen, of: [service])
        let (descriptors, names) = listeners.inherited(by: service)
        var spawn = try programs.launch(service, identity: identity, descriptors: descriptors, names: names)
        // It is this process that the service is, which is what LISTEN_PID asks for.
        if !names.isEmpty { spawn.environment.append(Array("LISTEN_PID=\(Identity.processID)".utf8)) }
        if let first = program.first {
            guard first.hasPrefix("/") else { throw Failure(.usage, "\(first) is no full path", remedy: "nothing is searched: write it out") }
            spawn.program = Path(first)
            spawn.arguments = program.dropFirst().map { Array($0.utf8) }
        }
        try attempting { () throws(KernelError) in try spawn.become() }
    }

    private func waitForTree(_ configuration: Configuration) throws(Failure) {
        for turn in 0..<(ListenCommand.patience * 10) {
            if try TreeLife.isHeld(configuration.paths.spool) { return }
            if turn == 0 { Output.note("\(service.rawValue) waits for `mailctl tree hold`") }
            pause(milliseconds: 100)
        }
        throw Failure(
            .temporary, "nobody holds the tree of \(configuration.paths.spool)",
            remedy: "start `mailctl tree hold` under the same supervisor: it recognises copies before any service moves mail")
    }
}
