package com.amazonaws.services.lambda.crac;

/** What wants to know of snapshots; the type that {@code org.crac.Resource} stands for in AWS's Java runtimes. */
public interface Resource {
    void beforeCheckpoint(Context<? extends Resource> context) throws Exception;

    void afterRestore(Context<? extends Resource> context) throws Exception;
}
