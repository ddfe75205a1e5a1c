using System.Runtime.CompilerServices;

// Native calls pass their arguments as they are: no marshalling stubs.
[assembly: DisableRuntimeMarshalling]
